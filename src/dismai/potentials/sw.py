"""Stillinger-Weber silicon for the amorphous phase."""

from ase.calculators.calculator import Calculator

EPSILON_EV = 1.64833
SIGMA_A = 2.0951
CUTOFF = 1.80  # in sigma
LAMBDA = 31.5
GAMMA = 1.20
A, B, P, Q = 7.049556277, 0.6022245584, 4, 0

XML = f"""<SW_params n_types="1" label="Vink2001">
<per_type_data type="1" atomic_num="14" />
<per_pair_data atnum_i="14" atnum_j="14" AA="{A}" BB="{B}" p="{P}" q="{Q}"
 a="{CUTOFF}" sigma="{SIGMA_A}" eps="{EPSILON_EV}" />
<per_triplet_data atnum_c="14" atnum_j="14" atnum_k="14" lambda="{LAMBDA}" gamma="{GAMMA}"
 eps="{EPSILON_EV}" />
</SW_params>
"""


def stillinger_weber() -> Calculator:
    """Calculator with the parameters of Vink et al., J. Non-Cryst. Solids 282, 248 (2001).

    Stillinger and Weber's potential with a three-body term 1.5 times as strong and an energy
    scale of 1.64833 eV, which gives amorphous silicon its few coordination defects.
    """
    from quippy.potential import Potential

    return Potential("IP SW", param_str=XML)
