"""All that can go wrong in a run, apart from what the session does, in the order of the run.

A fault of the session is no error: it is an outcome, and becomes a finding.
"""


class ConformanceError(Exception):
    """The run cannot go on as asked. The text is one line that names the cause and the remedy."""


# Before the run: what the user gave, and what the suite reads.


class UsageError(ConformanceError):
    """An option, a module, a class, a host or a file cannot be used as given."""


class ContractError(ConformanceError):
    """A file of the contract is wrong, or the reference model disagrees with it."""


# During a check: the process that runs the session. Whoever hears one of the first two decides
# whether the session or the host is to blame.


class Silent(Exception):
    """The process did not answer in time."""


class Gone(Exception):
    """The process has ended, or has broken the protocol. The text says how."""


class HostError(ConformanceError):
    """The host itself failed; the session that it runs did not. The text says how."""


class Impossible(Exception):
    """This machine does not allow what a check needs.

    The text is the reason. ``remedy`` is what the user can do.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy
