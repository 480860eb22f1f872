//! A study as a storage holds it, and as a sampler or pruner sees it.

use crate::{Attributes, History};

/// A study's key within its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StudyId(pub i64);

/// Which way an objective is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Less is better.
    Minimize,
    /// More is better.
    Maximize,
}

impl Direction {
    /// A value as a loss: less is better.
    #[must_use]
    pub fn loss(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// A study without its trials.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyRecord {
    /// Its key within the storage.
    pub id: StudyId,
    /// Unique within the storage, at most 512 characters.
    pub name: String,
    /// One per objective, at least one.
    pub directions: Vec<Direction>,
    /// What users noted.
    pub user_attributes: Attributes,
    /// What samplers, pruners and tools noted.
    pub system_attributes: Attributes,
}

/// What a sampler or pruner may look at.
#[derive(Clone, Copy)]
pub struct StudyView<'a> {
    /// The study.
    pub study: &'a StudyRecord,
    /// All of its trials that were known when it was asked.
    pub history: &'a History,
}
