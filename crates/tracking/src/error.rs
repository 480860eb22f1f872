//! What can go wrong before a sink is started. Later, nothing can: see [`crate::Standing`].

/// Why no sink could be made of a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackingError {
    /// A section's values cannot be used.
    #[error("tracking cannot be set up")]
    Spec(#[source] garde::Report),
    /// There is no such sink, or it is not configured.
    #[error(
        "the run has no tracker named {name:?}; it has {}",
        if configured.is_empty() { "none".into() } else { configured.join(", ") }
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        configured: Vec<String>,
    },
    /// A run says of itself something that a sink cannot use.
    #[error("the run's {what} cannot be understood: {found:?}")]
    Facts {
        /// Which fact.
        what: &'static str,
        /// What it says.
        found: String,
    },
}
