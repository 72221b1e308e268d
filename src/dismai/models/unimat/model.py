from dismai.models.base import GenerativeModel
from dismai.models.unimat.hparams import Hparams
import torch
from dismai.models.unimat.network import UNet
class UniMat(GenerativeModel):
    architecture = "unimat"
    Hparams = Hparams
    def __init__(self, spec, hparams):
        super().__init__(spec, hparams.resolved(spec))
    def fit(self): ...
    def sample(self): ...
    def save(self): ...
    def load(self): ...
    def parameter_count(self):
        return sum(p.numel() for p in UNet(self.hparams, torch.Generator()).parameters())
