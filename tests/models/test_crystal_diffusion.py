"""Facts about the diffusion of crystals: parameters, lines of the small picture, learning."""

import pytest
import torch

import dismai.models
from dismai.base.card import CrystalSpec
from dismai.base.errors import InputError
from dismai.models.crystal_diffusion.hparams import Hparams


def spec(n_train=0):
    return CrystalSpec(name="crystals", kind="crystals", n_train=n_train)


def test_parameters_at_paper_scale():
    model = dismai.models.create("crystal_diffusion", spec())
    with torch.device("meta"):
        networks = model.new_networks(0)
    counts = [sum(p.numel() for p in part.parameters()) for part in (networks.base, networks.sr)]
    assert counts == [267_213_599, 725_281_986]
    assert model.parameter_count() == sum(counts)


def test_published_settings():
    h = dismai.models.create("crystal_diffusion", spec()).hparams
    assert (h.base_channels, h.sr_channels, h.base_side, h.batch, h.steps) == (
        256,
        256,
        32,
        4,
        1000,
    )
    assert (h.base_epochs, h.sr_epochs, h.clustering, h.resize) == (
        19,
        19,
        "published",
        "reference",
    )
    assert h.steps_on(53_856) == 2 * 19 * 13_464
    assert 250_000 <= h.steps_on(53_856) / 2 < 250_000 + 13_464
    assert dismai.models.create("crystal_diffusion", spec(1206)).hparams.base_epochs == 828


LINES = ["Z", "x", "y", "z", "a", "b", "c", "alpha", "beta", "gamma", "group"]


def resize_of(name):
    return dismai.models.create("crystal_diffusion", spec(), resize=name).resize


def test_the_published_small_picture_lacks_half_of_the_quantities_and_atoms():
    def shown(resize):
        down = resize_of(resize).down.tolist()
        return [LINES[line] for line in down if line < 11], sum(line >= 12 for line in down)

    assert shown("reference") == (["Z", "y", "a", "c", "beta", "group"], 26)
    assert shown("coordinate_preserving") == (LINES, 20)


def test_the_mended_small_picture_shows_every_line_of_the_full_one_by_itself_or_the_one_before():
    resize = dismai.models.create(
        "crystal_diffusion", spec(), resize="coordinate_preserving"
    ).resize
    full = torch.arange(64.0).expand(1, 1, 64, 64)
    back = resize.enlarge(resize.shrink(full))[0, 0, 0]
    assert back[:12].tolist() == list(range(12))
    assert ((torch.arange(64.0) - back) <= 2).all()
    assert (back <= torch.arange(64.0)).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"base_side": 64}, "expected base_side above the 11 lines .* below the 64"),
        ({"base_side": 8}, "expected base_side above the 11 lines"),
        (
            {"clustering": "some"},
            "clustering: expected 'published', 'none' or 'auto', found 'some'",
        ),
        ({"region": {"Ni": 1}}, "region: expected a known hyperparameter"),
    ],
)
def test_a_wrong_hyperparameter_is_one_line(params, message):
    with pytest.raises(InputError, match=message) as caught:
        dismai.models.check_hparams("crystal_diffusion", params)
    assert "\n" not in str(caught.value)


def test_models_on_the_interface_keep_their_settings():
    """Those of CrysTens stand in files of models, in this order."""
    fields = list(type(dismai.models.check_hparams("crystens", {})).model_fields)
    assert fields[:7] == ["batch", "learning_rate", "precision", "checkpoint_every", "separators",
                          "base_side", "resize"]  # fmt: skip
    assert fields[-12:-9] == ["snr_cap", "region", "copies"]
    assert set(Hparams.model_fields) - set(fields) == {"clustering"}
