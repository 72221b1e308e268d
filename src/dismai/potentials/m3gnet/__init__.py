"""M3GNet: trained by the workflow on labels, saved as safetensors, used as an ASE calculator."""

from dismai.potentials.m3gnet.network import load

__all__ = ["load"]
