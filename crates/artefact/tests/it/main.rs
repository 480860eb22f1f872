//! The artefact from outside.
#![cfg(test)]

mod extractor;
mod folder;
mod registry;
mod small_extractor;
mod tensor_file;
mod windows;
