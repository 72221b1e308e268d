"""What each metric sees and what it is blind to, in one line each."""

EXPLANATIONS: dict[str, tuple[str, str]] = {
    "percent_failed": (
        "structures that cannot be read, cleaned or described",
        "everything about those that can",
    ),
    "d_cluster": (
        "short-range order of the mean structure: species of pairs up to the seventh shell",
        "displacements below 0.2 Å and strain below 5 % (sites are ideal), memorised structures, "
        "spread of the set; at 1500 K a random decoration scores 0.026, better than every "
        "published model",
    ),
    "percent_structures_with_vacancies": (
        "sites left empty",
        "species; how many sites are empty",
    ),
    "mean_vacancies_per_structure": ("sites left empty", "species"),
    "energy_above_training": (
        "order, weighted as the energy function weighs it; of relaxed structures their minima",
        "changes of the order that cost no energy; displacements; strain",
    ),
    "displacement_on_relaxation": (
        "how far atoms are from a minimum of the potential",
        "whether the minimum is the right one: any minimum, a crystal too, gives 0",
    ),
    "d_motif": (
        "coordination and shape of the first shell, mean over all atoms",
        "order beyond the first shell, memorised structures, spread of the set",
    ),
    "d_rdf": (
        "distances of pairs up to 10 Å; a shift of the narrow first peak weighs most",
        "angles and rings at equal distances, memorised structures, spread of the set",
    ),
    "d_angle": (
        "angles between bonds",
        "bond lengths, rings, memorised structures, spread of the set",
    ),
    "d_dihedral": ("twist of neighbouring bonds", "bond lengths and angles, memorised structures"),
    "d_rings": (
        "how the network closes, from three to seven atoms",
        "geometry that keeps the network, memorised structures",
    ),
    "d_structure_factor": (
        "density waves up to 4 1/Å: order from 1.6 Å to the cell edge",
        "angles and rings at equal pair distances, memorised structures",
    ),
    "coordination_defects_above_training": (
        "dangling and floating bonds",
        "geometry of fourfold atoms, memorised structures",
    ),
    "diffraction_peak_shift": (
        "spacing of the network, density",
        "height of the peak, memorised structures",
    ),
    "diffraction_peak_height_shift": (
        "extent of medium-range order",
        "where the peak is, memorised structures",
    ),
    "density_shift": ("volume of the cell, number of atoms", "where the atoms are"),
    "d_Li": (
        "first shell of lithium, mean over the cell",
        "everything but lithium; memorised structures",
    ),
    "d_Co": (
        "first shell of cobalt, mean over the cell",
        "everything but cobalt; memorised structures",
    ),
    "d_Sc": (
        "first shell of scandium, mean over the cell",
        "everything but scandium; memorised structures",
    ),
    "d_all": (
        "first shell of the cations, mean over all of them",
        "opposite changes of different cations, which cancel; anions; memorised structures",
    ),
    "d_profile": (
        "which elements are at which height; also a shift of the whole cell",
        "order within a layer, memorised structures",
    ),
    "mmd": (
        "any difference of the distributions of per-structure means, also of their spread",
        "memorised structures; what the means of a structure do not hold",
    ),
    "soap_mmd": (
        "any difference of the mean environment within 5 Å, species told apart",
        "memorised structures; order between environments; products of two species",
    ),
    "fidelity": ("structures unlike all training structures", "modes that are never generated"),
    "coverage": (
        "parts of the training set that are never generated",
        "structures unlike all training structures; depends on the number of structures",
    ),
    "diversity": (
        "sets that vary too little or too much",
        "whether the structures are right; copies of an unusual one raise it at first",
    ),
    "memorisation": (
        "copies of training structures (1), structures far from all (0); right is 0.5",
        "copies that were moved, whether the structures are right",
    ),
}
