//! Where the rows of a data folder come from: its file, or the server that has it.

use crate::server::{STORE, backup};
use crate::store::{self, Place, Reading, StoreError};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Where the rows of a data folder come from.
pub(super) enum Source {
    /// Its file, which nobody has.
    File(Place),
    /// The server that has it, which is sending a backup.
    Server {
        holder: String,
        sent: BufReader<UnixStream>,
    },
}

/// The store's file of a data folder.
pub(super) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join(STORE)
}

impl Source {
    /// Finds it.
    pub fn of(data_dir: &Path) -> Result<Self, String> {
        let file = file(data_dir);
        match file.try_exists() {
            Ok(true) => {}
            Ok(false) => {
                return Err(format!(
                    "there is no store: {} is not there",
                    file.display()
                ));
            }
            Err(error) => return Err(format!("{}: {error}", file.display())),
        }
        match Place::hold(&file) {
            Ok(place) => Ok(Source::File(place)),
            Err(StoreError::InUse { holder, .. }) => Self::ask(data_dir, holder),
            Err(error) => Err(refused(&error)),
        }
    }

    fn ask(data_dir: &Path, holder: String) -> Result<Self, String> {
        let unanswered = |why: &str| {
            let (file, socket) = (file(data_dir), backup::socket(data_dir));
            let (file, socket) = (file.display(), socket.display());
            format!("{file} is in use by {holder}, which gives no rows on {socket}: {why}")
        };
        let socket = backup::connect(data_dir).map_err(|error| unanswered(&error.to_string()))?;
        let mut sent = BufReader::new(socket);
        let mut answer = String::new();
        let read = sent.by_ref().take(MOST_ANSWER).read_line(&mut answer);
        read.map_err(|error| unanswered(&error.to_string()))?;
        match answer.as_str() {
            backup::OK => Ok(Source::Server { holder, sent }),
            "" => Err(unanswered(
                "only the user that it runs as may ask, and root",
            )),
            why => Err(unanswered(why.trim_end())),
        }
    }

    /// Who has the data folder, if it is not us.
    pub fn holder(&self) -> Option<&str> {
        match self {
            Source::File(_) => None,
            Source::Server { holder, .. } => Some(holder),
        }
    }

    /// Reads the rows.
    pub fn read(self, data_dir: &Path) -> Result<Reading, String> {
        match self {
            Source::File(place) => place.read(),
            Source::Server { sent, .. } => {
                let socket = backup::socket(data_dir);
                store::backup::read(&socket, sent).map(|(_, reading)| reading)
            }
        }
        .map_err(|error| refused(&error))
    }
}

const MOST_ANSWER: u64 = 4_096;

/// Why not, and what to do next.
pub(super) fn refused(error: &StoreError) -> String {
    format!("{error}\n{}", error.advice())
}
