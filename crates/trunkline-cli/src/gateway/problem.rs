//! [`Problem`]: what is wrong with the settings, and where.

use std::{fmt, path::PathBuf};

/// What is wrong with the settings, and where. Never with the value itself, which may be
/// secret, or in the wrong place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) text: String,
}

/// Where a setting has been made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// With `--set`, or a flag of its own.
    Flag(&'static str),
    /// In the environment.
    Variable(String),
    /// In the file, at this line and column.
    File { path: PathBuf, line: usize, column: usize },
}

impl Place {
    /// A path that is named here: those in the file begin where the file is.
    pub(super) fn path(&self, named: &str) -> PathBuf {
        match self {
            Self::File { path, .. } => path.parent().map(|parent| parent.join(named)).unwrap_or(named.into()),
            _ => named.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
        }
    }
}
