"""Every classifier by its name."""

from collections.abc import Callable, Mapping

from risk.manifest import Model
from training.autoencoder import fit_autoencoder
from training.classifier import Classifier
from training.kernel_svm import fit_kernel_svm
from training.linear_models import fit_linear_discriminant, fit_linear_svm, fit_logistic_regression
from training.network import fit_network
from training.tree_models import (
    fit_gradient_boosting,
    fit_isolation_forest,
    fit_lightgbm,
    fit_random_forest,
    fit_xgboost,
)

FITS: Mapping[Model, Callable[..., Classifier]] = {
    "logistic_regression": fit_logistic_regression,
    "linear_svm": fit_linear_svm,
    "linear_discriminant": fit_linear_discriminant,
    "kernel_svm": fit_kernel_svm,
    "random_forest": fit_random_forest,
    "gradient_boosting": fit_gradient_boosting,
    "lightgbm": fit_lightgbm,
    "xgboost": fit_xgboost,
    "isolation_forest": fit_isolation_forest,
    "autoencoder": fit_autoencoder,
    "network": fit_network,
}
"""What fits each model to normalised features float64[n, F] and frauds bool[n], with the keyword `seed`."""
