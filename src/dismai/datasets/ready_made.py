"""Settings of a dataset that may come as a ready-made set of structures."""

from pydantic import Field, model_validator

from dismai.base.section import Section


class ReadyMade(Section):
    """What the datasets share that may be given as a file of structures."""

    source: str | None = Field(
        None, description="ready-made set, path or URL: extended XYZ, or a zip or tar that holds it"
    )
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="checksum of source")
    member: str | None = Field(None, description="file inside the archive")

    @model_validator(mode="after")
    def _source_has_a_checksum(self):
        if self.source and not self.sha256:
            raise ValueError(f"source: expected a sha256 beside it, found none for {self.source!r}")
        return self
