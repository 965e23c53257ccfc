"""The reference model compared with recorded results of published libraries."""
