"""What each metric sees and what it is blind to, in one line each."""

EXPLANATIONS: dict[str, tuple[str, str]] = {
    "percent_failed": (
        "structures that cannot be read, cleaned or described",
        "everything about those that can",
    ),
    "d_cluster": (
        "short-range order of the mean structure: species of pairs up to the seventh shell",
        "displacements below 0.8 Å and strain below 5 % (sites are ideal), copies, spread of the "
        "set; at 1500 K a random decoration scores 0.026, better than every published model",
    ),
    "percent_structures_with_vacancies": (
        "sites left empty",
        "species; how many sites are empty",
    ),
    "mean_vacancies_per_structure": ("sites left empty", "species"),
    "energy_above_training": (
        "order, weighted as the cluster expansion weighs it",
        "changes of the order that cost no energy; displacements; strain",
    ),
    "d_motif": (
        "coordination and shape of the first shell, mean over all atoms",
        "order beyond the first shell, copies, spread of the set",
    ),
    "d_rdf": (
        "distances of pairs up to 10 Å; a shift of the narrow first peak weighs most",
        "angles and rings at equal distances, copies, spread of the set",
    ),
    "d_angle": ("angles between bonds", "bond lengths, rings, copies, spread of the set"),
    "d_dihedral": ("twist of neighbouring bonds", "bond lengths and angles, copies"),
    "d_rings": (
        "how the network closes, from three to seven atoms",
        "geometry that keeps the network, copies",
    ),
    "d_structure_factor": (
        "density waves up to 4 1/Å: order from 1.6 Å to the cell edge",
        "angles and rings at equal pair distances, copies",
    ),
    "coordination_defects_above_training": (
        "dangling and floating bonds",
        "geometry of fourfold atoms, copies",
    ),
    "diffraction_peak_shift": ("spacing of the network, density", "height of the peak, copies"),
    "diffraction_peak_height_shift": ("extent of medium-range order", "where the peak is, copies"),
    "density_shift": ("volume of the cell, number of atoms", "where the atoms are"),
    "d_Li": ("first shell of lithium, mean over the cell", "everything but lithium; copies"),
    "d_Co": ("first shell of cobalt, mean over the cell", "everything but cobalt; copies"),
    "d_Sc": ("first shell of scandium, mean over the cell", "everything but scandium; copies"),
    "d_all": (
        "first shell of the cations, mean over all of them",
        "opposite changes of different cations, which cancel; anions; copies",
    ),
    "d_profile": (
        "which elements are at which height; also a shift of the whole cell",
        "order within a layer, copies",
    ),
    "mmd": (
        "any difference of the distributions of per-structure means, also of their spread",
        "single copies; what the means of a structure do not hold",
    ),
    "fidelity": ("structures unlike all training structures", "modes that are never generated"),
    "coverage": (
        "parts of the training set that are never generated",
        "structures unlike all training structures; depends on the number of structures",
    ),
    "diversity": ("sets that vary too little or too much", "whether the structures are right"),
    "memorisation": (
        "copies of training structures (1), structures far from all (0); right is 0.5",
        "copies that were moved, whether the structures are right",
    ),
}
