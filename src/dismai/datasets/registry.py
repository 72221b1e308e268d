"""The kinds of datasets under the name that scripts of others know; they are in `base.kinds`."""

from dismai.base.kinds import KINDS, Kind, kind_name

__all__ = ["KINDS", "Kind", "kind_name"]
