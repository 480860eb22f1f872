//! The pieces that networks are composed of. Each owns its weights and takes the mode with every pass.

pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod dropout;
pub(crate) mod fusion;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod recurrent;
