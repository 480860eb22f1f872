//! The `tracking.tensorboard:` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Event files for TensorBoard, in the folder `tensorboard` of each run: `tensorboard --logdir runs` shows them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TensorBoardSpec {}
