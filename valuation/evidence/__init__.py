"""Why a run may be believed: placebos, the specification curve, and worlds of known truth."""
