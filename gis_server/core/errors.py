"""What can go wrong that a person can do something about.

::

    GisError                      any of them
    ├── UnusableInput             a file, row or value cannot be used (field and expectation named where known)
    │   ├── CatalogueError        a layer, profile or scene file is wrong: names the file and the key
    │   ├── UnknownCrs            the coordinate reference system is missing or unsafe; carries the candidates
    │   ├── UnknownEncoding       the text encoding cannot be decided
    │   ├── DatumRequired         points came without a stated datum
    │   └── AddressUnclear        an address is not certainly one of those known; carries the answer to the search
    ├── NotFound                  no such thing, or none that this actor may know of
    ├── SignInRequired            nobody is signed in
    ├── NotAllowed                signed in, but role, territory or tier forbids it
    │   └── DepartmentLayerRefused   a department's own division is no grid; carries the finding and what is offered
    ├── Conflict                  the state of the thing forbids it now
    │   ├── PublishRefused        errors or warnings are open; carries the findings
    │   └── StateChanged          the thing is not, or no longer, in a state that allows it; carries the state
    ├── NotAvailableYet           a documented path that is not filled yet
    └── Unavailable               a part that this needs (the database) does not answer

The doors decide status and exit codes; there are none here. Programming errors are not GisErrors.
"""

from collections.abc import Sequence

from gis_server.core.message import Message, msg


class GisError(Exception):
    """An error with one clear sentence: what, where, what to do; ``clause`` is the place of the law that says so."""

    def __init__(
        self,
        message: Message,
        *,
        field: str | None = None,
        expected: Message | None = None,
        clause: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.expected = expected
        self.clause = clause

    def __str__(self) -> str:
        return self.message.render()


class UnusableInput(GisError):
    """A file, row or value that cannot be used as it is."""


class CatalogueError(UnusableInput):
    """A catalogue, profile or scene file that names an unknown key, lacks one or has a bad value."""


class UnknownCrs(UnusableInput):
    """No coordinate reference system, or one without a safe path to CGCS2000."""

    def __init__(self, message: Message, *, candidates: Sequence[str] = ()) -> None:
        super().__init__(message, field="crs")
        self.candidates = tuple(candidates)


class UnknownEncoding(UnusableInput):
    """Text that is neither strict UTF-8 nor strict GB18030."""


class DatumRequired(UnusableInput):
    """Points without a stated datum: GCJ-02 and BD-09 are hundreds of metres off."""


class AddressUnclear(UnusableInput):
    """An address that several known ones fit, or none exactly; ``answer`` is what the search found (AddressAnswer)."""

    def __init__(self, message: Message, *, answer: object) -> None:
        super().__init__(message, field="address", expected=msg("一个标准地址，或其地址编码"))
        self.answer = answer


class SwappedAxes(UnusableInput):
    """A position whose latitude was written for its longitude; ``lon`` and ``lat`` as they were probably meant."""

    def __init__(self, message: Message, *, lon: float, lat: float, expected: Message) -> None:
        super().__init__(message, field="lon", expected=expected)
        self.lon = lon
        self.lat = lat


class NotJson(UnusableInput):
    """What should be JSON cannot be read as such."""


class TooLarge(UnusableInput):
    """More bytes than may be sent at once."""


class NotFound(GisError):
    """There is no such thing for this actor."""


class SignInRequired(GisError):
    """Nobody is signed in."""


class NotAllowed(GisError):
    """Role, territory or tier forbids it."""


class DepartmentLayerRefused(NotAllowed):
    """A department's own division may not be written as grids (V12); it may be brought as the layer ``offer``."""

    def __init__(self, message: Message, *, finding: object, offer: str, clause: str) -> None:
        super().__init__(message, field="layer", clause=clause)
        self.finding = finding
        self.offer = offer


class Conflict(GisError):
    """The present state forbids it."""


class PublishRefused(Conflict):
    """A staged generation still has errors, or warnings that nobody accepted with a reason."""

    def __init__(self, message: Message, *, findings: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class StateChanged(Conflict):
    """The thing is not, or no longer, in a state that allows this."""

    def __init__(self, message: Message, *, state: str, clause: str | None = None) -> None:
        super().__init__(message, clause=clause)
        self.state = state


class NotAvailableYet(GisError):
    """A documented command or path that a later version fills."""


class Unavailable(GisError):
    """Something this needs does not answer just now."""
