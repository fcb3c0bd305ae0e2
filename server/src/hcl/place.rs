//! Where in a file something is, and what is wrong there.

use std::fmt;

/// A place in a text: line and column, both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Nowhere if something is missing.
    pub place: Option<Place>,
    pub message: String,
}

impl Problem {
    /// Something at this place is wrong.
    pub fn at(place: Place, message: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            message: message.into(),
        }
    }

    /// As a problem of this file.
    pub fn of(self, file: &str) -> Wrong {
        Wrong {
            file: file.to_owned(),
            problem: self,
        }
    }
}

/// What is wrong with a file, to be shown as `FILE:LINE:COLUMN: …`, which editors can jump to.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    file: String,
    problem: Problem,
}

impl Wrong {
    /// A problem of the file as a whole.
    pub fn whole(file: &str, message: String) -> Self {
        let place = None;
        Problem { place, message }.of(file)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, problem } = self;
        match problem.place {
            Some(Place { line, column }) => {
                write!(f, "{file}:{line}:{column}: {}", problem.message)
            }
            None => write!(f, "{file}: {}", problem.message),
        }
    }
}

impl std::error::Error for Wrong {}
