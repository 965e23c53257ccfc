"""The errors of a run, in the order of the run.

A fault of the session is an outcome instead, and becomes a finding.
"""


class ConformanceError(Exception):
    """The run cannot continue. The text is one line with the cause and the remedy."""


# Before the run: options and files.


class UsageError(ConformanceError):
    """An option, a module, a class, a host or a file cannot be used."""


class ContractError(ConformanceError):
    """A file of the contract is wrong, or the reference model disagrees with it."""


# During a check: the process that runs the session. The code that catches Silent or Gone decides
# whether the session or the host is to blame.


class Silent(Exception):
    """The process did not answer in time."""


class Gone(Exception):
    """The process ended or broke the protocol. The text says how."""


class HostError(ConformanceError):
    """The host itself failed, and not its session. The text says how."""


class Impossible(Exception):
    """This machine does not allow what a check needs.

    The text is the reason. ``remedy`` is what the user can do.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy
