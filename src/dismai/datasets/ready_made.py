"""Settings of a dataset that may come as a ready-made set of structures."""

from typing import Any

from pydantic import Field, field_validator, model_validator

from dismai.base.section import Section

SHA256 = "^[0-9a-f]{64}$"


def leaves_both_parts(settings: Any) -> Any:
    """The settings of a dataset; ValueError unless its split leaves training and held-out parts."""
    n = settings.n_structures
    n_held_out = round(settings.validation_share * n)
    if not 0 < n_held_out < n:
        raise ValueError(
            "validation_share: expected training and held-out structures, found "
            f"{n_held_out} held out of {n}"
        )
    return settings


class SourceFile(Section):
    """One file of structures of a ready-made set."""

    path: str = Field(
        min_length=1, description="path or URL: extended XYZ, or a zip or tar that holds it"
    )
    sha256: str = Field(pattern=SHA256, description="checksum of that file")
    member: str | None = Field(None, description="file inside the archive")


class SplitSource(Section):
    """A ready-made set whose split is kept: its training and its validation structures."""

    train: SourceFile = Field(description="training structures")
    val: SourceFile = Field(description="validation structures")


class ReadyMade(Section):
    """What the datasets share that may be given as files of structures."""

    source: str | SplitSource | None = Field(
        None,
        description="ready-made set: train and val, whose split is kept; or one path or URL, of "
        "which a random share is held out (extended XYZ, or a zip or tar that holds it)",
    )
    sha256: str | None = Field(None, pattern=SHA256, description="checksum of a source of one file")
    member: str | None = Field(None, description="file inside the archive, of a source of one file")

    _leaves_both_parts = model_validator(mode="after")(leaves_both_parts)

    @model_validator(mode="before")
    @classmethod
    def _source_is_a_file_or_two(cls, data: Any):
        source = data.get("source") if isinstance(data, dict) else None
        if source is not None and not isinstance(source, str | dict | SplitSource):
            raise ValueError(f"source: expected a path, a URL, or train and val, found {source!r}")
        return data

    @field_validator("source", mode="before")
    @classmethod
    def _two_files_are_read_as_such(cls, value: Any):
        """Its errors then name the key below `source`, not each type that it is not."""
        return SplitSource.model_validate(value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _every_file_has_a_checksum(self):
        if isinstance(self.source, str) and not self.sha256:
            raise ValueError(f"source: expected a sha256 beside it, found none for {self.source!r}")
        for key in ("sha256", "member"):
            if not isinstance(self.source, str) and getattr(self, key) is not None:
                where = "one for train and one for val" if self.source else "none without a source"
                raise ValueError(f"{key}: expected {where}, found {getattr(self, key)!r}")
        if self.source is None and getattr(self, "potential", "") is None:
            raise ValueError(
                "potential: expected a name under potentials, found none; only a ready-made set "
                "may stay unrelaxed"
            )
        return self

    @property
    def files(self) -> dict[str, SourceFile]:
        """Files of the set by part: `train` and `val`, or `source` alone; without a source none."""
        if self.source is None:
            return {}
        if isinstance(self.source, SplitSource):
            return {"train": self.source.train, "val": self.source.val}
        return {"source": SourceFile(path=self.source, sha256=self.sha256, member=self.member)}
