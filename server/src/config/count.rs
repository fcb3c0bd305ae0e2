//! Numbers within bounds.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A number of at least `LEAST` and at most `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Count<const LEAST: u32, const MOST: u32 = { u32::MAX }>(u32);

impl<const LEAST: u32, const MOST: u32> Count<LEAST, MOST> {
    /// As a size.
    pub fn get(self) -> usize {
        // Every target that this builds for has at least 32 bits.
        self.0 as usize
    }

    /// What is known to be one: a default.
    pub(super) fn known(number: usize) -> Self {
        Self(u32::try_from(number).unwrap_or(u32::MAX))
    }
}

impl<const LEAST: u32, const MOST: u32> TryFrom<u32> for Count<LEAST, MOST> {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if number < LEAST {
            return Err(format!("{number} is too small: give at least {LEAST}"));
        }
        if number > MOST {
            return Err(format!("{number} is too large: give at most {MOST}"));
        }
        Ok(Self(number))
    }
}

impl<const LEAST: u32, const MOST: u32> FromStr for Count<LEAST, MOST> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse::<u32>();
        number
            .map_err(|_| format!("{text:?} is not a number"))?
            .try_into()
    }
}

impl<const LEAST: u32, const MOST: u32> From<Count<LEAST, MOST>> for u32 {
    fn from(count: Count<LEAST, MOST>) -> Self {
        count.0
    }
}

impl<const LEAST: u32, const MOST: u32> fmt::Display for Count<LEAST, MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
