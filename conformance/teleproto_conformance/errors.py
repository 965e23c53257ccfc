"""The errors that are a user's to mend; each is one line that names the remedy."""


class ConformanceError(Exception):
    """Something given to the suite is wrong."""


class UsageError(ConformanceError):
    """An option, a module, a class or a file that cannot be used as given."""


class ContractError(ConformanceError):
    """A file of the contract is wrong, or the reference model disagrees with it."""
