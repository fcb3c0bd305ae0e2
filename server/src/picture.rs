//! What clients see of a row, encoded once when it changes.
use crate::claim::Claim;
use crate::plugin::Plugin;
use crate::state::Stored;
use crate::volume::Volume;

/// stub
#[derive(Debug, Default)]
pub struct VolumePicture;
/// stub
#[derive(Debug, Default)]
pub struct Fragments;
impl VolumePicture {
    /// stub
    pub fn of(_: &Stored<Volume>, _: &[Claim], _: bool) -> Self {
        Self
    }
}
impl Fragments {
    /// stub
    pub fn of(_: &Plugin) -> Self {
        Self
    }
}
