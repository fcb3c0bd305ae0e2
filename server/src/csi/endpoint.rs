//! Where a driver listens.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// The longest path of a socket, in bytes. Systems allow 103 to 107; what is longer fails late and
/// with an unclear error, so it is refused here.
pub const MOST_SOCKET_PATH_BYTES: usize = 100;

/// The unix socket of a driver; a link to one is none. Read from `unix:///path` or a bare absolute path; shown as the first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint(PathBuf);

/// Why a text or a path is no [`Endpoint`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Another scheme, such as `tcp://`.
    #[error("driver endpoint {0:?}: only unix sockets are supported: give unix:///PATH")]
    Scheme(String),
    /// `unix://csi.sock`, `csi.sock`, or nothing.
    #[error("driver endpoint {0:?}: the path of the socket must be absolute: give unix:///PATH")]
    Relative(String),
    /// More than [`MOST_SOCKET_PATH_BYTES`].
    #[error(
        "driver endpoint {path:?}: the path of the socket has {bytes} bytes, at most {MOST_SOCKET_PATH_BYTES} are allowed"
    )]
    TooLong {
        /// The path.
        path: String,
        /// Its length.
        bytes: usize,
    },
    /// A control character, NUL included.
    #[error("driver endpoint {0:?}: the path of the socket holds a control character")]
    Control(String),
}

impl Endpoint {
    /// The socket at this path, which must be absolute and at most [`MOST_SOCKET_PATH_BYTES`] long.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self, EndpointError> {
        let path = path.into();
        let shown = path.to_string_lossy().into_owned();
        let bytes = path.as_os_str().len();
        if !path.is_absolute() {
            Err(EndpointError::Relative(shown))
        } else if shown.chars().any(char::is_control) {
            Err(EndpointError::Control(shown))
        } else if bytes > MOST_SOCKET_PATH_BYTES {
            Err(EndpointError::TooLong { path: shown, bytes })
        } else {
            Ok(Self(path))
        }
    }

    /// The path of the socket.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        match text.split_once("://") {
            Some(("unix", path)) => Self::at(path).map_err(|error| match error {
                EndpointError::Relative(_) => EndpointError::Relative(text.to_owned()),
                other => other,
            }),
            Some(_) => Err(EndpointError::Scheme(text.to_owned())),
            None => Self::at(text),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix://{}", self.0.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_socket_are_read() {
        for text in ["unix:///run/csi.sock", "/run/csi.sock"] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), "unix:///run/csi.sock");
            assert_eq!(endpoint.path(), Path::new("/run/csi.sock"));
        }
    }

    #[test]
    fn what_is_no_socket_is_refused_with_a_reason() {
        let long = format!("/{}", "x".repeat(MOST_SOCKET_PATH_BYTES));
        for (text, reason) in [
            ("", "must be absolute"),
            ("csi.sock", "must be absolute"),
            (
                "unix://csi.sock",
                "\"unix://csi.sock\": the path of the socket must be absolute",
            ),
            ("tcp://127.0.0.1:1", "only unix sockets"),
            ("/run/a\nb", "control character"),
            ("/run/a\0b", "control character"),
            (long.as_str(), "has 101 bytes, at most 100"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
        assert!(long[..MOST_SOCKET_PATH_BYTES].parse::<Endpoint>().is_ok());
    }
}
