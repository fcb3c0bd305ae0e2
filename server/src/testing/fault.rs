//! One fault: where it strikes, and what happens then.

use crate::csi::{Call, Code};
use crate::id::NodeId;
use saddlebag_client::operations::Operation;
use std::time::Duration;

/// The longest delay.
const LONGEST: Duration = Duration::from_secs(3600);

/// The tag of the operations that are for tests; none of them can be made to fail.
const TESTING: &str = "testing";

/// A fault that a test asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it strikes.
    pub place: Place,
    /// How often it strikes at most; of no meaning for a node.
    pub count: u64,
    /// How long it holds up first, by the clock on the wall.
    pub delay: Duration,
    /// Whether it holds up until the faults change.
    pub hang: bool,
    /// The text of the failure.
    pub message: String,
    /// Whether the work is done first.
    pub after_work: bool,
}

/// Where a fault strikes, and what it does there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Requests for an operation of the document.
    Operation {
        /// Which.
        operation: Operation,
        /// The volume that the path has to name; empty for any or none.
        volume: String,
        /// The plugin that the path has to name; empty for any or none.
        plugin: String,
        /// What they are answered; nothing if they are only held up.
        outcome: Option<Outcome>,
    },
    /// Calls to drivers.
    Call {
        /// Which.
        call: Call,
        /// The plugin that is called; empty for any.
        plugin: String,
        /// What the driver seems to answer; nothing if calls are only held up.
        code: Option<Code>,
    },
    /// A node, which is away.
    Node(NodeId),
}

/// What a request is answered in place of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This status.
    Status(u16),
    /// Nothing: its connection is closed.
    Drop,
}

/// Why a fault makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAFault {
    /// It has no place, or several.
    #[error("say where it strikes, by one of Operation, Call and Node")]
    Nowhere,
    /// It does nothing.
    #[error("say what happens: {0}")]
    Nothing(&'static str),
    /// What it says is of no use where it strikes, or beside what else it says.
    #[error("{0} is of no use here")]
    Useless(&'static str),
    /// There is no such operation, or it is one for tests.
    #[error("there is no operation {0:?} that can be made to fail")]
    NoOperation(String),
    /// There is no such call.
    #[error("there is no call {0:?} in CSI")]
    NoCall(String),
    /// There is no such code.
    #[error("there is no gRPC code {0:?}: use one such as ResourceExhausted")]
    NoCode(String),
    /// It is no status of a failure.
    #[error("Status: {0} is no failure: use 400 to 599")]
    NoFailure(i64),
    /// It is to strike less often than never.
    #[error("Count: {0} is less than 0")]
    NoCount(i64),
    /// It holds up too long.
    #[error("Delay: it is an hour at most")]
    TooLong,
}

/// What a fault is said to be, by the names of the document; what is not said is empty, 0 or false.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// See [`Place::Operation`].
    pub operation: String,
    /// See [`Place::Call`].
    pub call: String,
    /// See [`Place::Node`].
    pub node: String,
    /// The volume that it has to be about.
    pub volume: String,
    /// The plugin that it has to be about.
    pub plugin: String,
    /// See [`Fault::count`]; 0 is 1.
    pub count: i64,
    /// See [`Fault::delay`].
    pub delay: Duration,
    /// See [`Fault::hang`].
    pub hang: bool,
    /// See [`Outcome::Status`].
    pub status: i64,
    /// See [`Outcome::Drop`].
    pub drop: bool,
    /// The code that the driver seems to answer.
    pub code: String,
    /// See [`Fault::message`].
    pub message: String,
    /// See [`Fault::after_work`].
    pub after_work: bool,
}

impl Fault {
    /// The fault that is meant.
    ///
    /// # Errors
    ///
    /// Why it makes no sense.
    pub fn said(said: Said) -> Result<Self, NotAFault> {
        let names = [&said.operation, &said.call, &said.node];
        if names.into_iter().filter(|name| !name.is_empty()).count() != 1 {
            return Err(NotAFault::Nowhere);
        }
        let place = if !said.operation.is_empty() {
            said.on_requests()?
        } else if !said.call.is_empty() {
            said.on_calls()?
        } else {
            said.useless(&[
                "Volume",
                "Plugin",
                "Delay",
                "Hang",
                "Status",
                "Drop",
                "Code",
                "Message",
                "AfterWork",
            ])?;
            Place::Node(NodeId::known(said.node.to_lowercase()))
        };
        if said.delay > LONGEST {
            return Err(NotAFault::TooLong);
        }
        let count = u64::try_from(said.count).map_err(|_| NotAFault::NoCount(said.count))?;
        Ok(Self {
            count: match place {
                Place::Node(_) => 0,
                Place::Operation { .. } | Place::Call { .. } => count.max(1),
            },
            place,
            delay: said.delay,
            hang: said.hang,
            message: said.message,
            after_work: said.after_work,
        })
    }
}

impl Said {
    fn on_requests(&self) -> Result<Place, NotAFault> {
        self.useless(&["Code"])?;
        let known = Operation::ALL
            .iter()
            .find(|known| known.id() == self.operation);
        let operation = known
            .filter(|known| known.tag() != TESTING)
            .ok_or_else(|| NotAFault::NoOperation(self.operation.clone()))?;
        let outcome = match (self.status, self.drop) {
            (0, false) => None,
            (0, true) => Some(Outcome::Drop),
            (_, true) => return Err(NotAFault::Useless("Drop beside Status")),
            (status @ 400..=599, false) => u16::try_from(status).ok().map(Outcome::Status),
            (status, false) => return Err(NotAFault::NoFailure(status)),
        };
        self.does_something(outcome.is_some(), "Status, Drop, Delay or Hang")?;
        Ok(Place::Operation {
            operation: *operation,
            volume: self.volume.clone(),
            plugin: self.plugin.clone(),
            outcome,
        })
    }

    fn on_calls(&self) -> Result<Place, NotAFault> {
        self.useless(&["Volume", "Status", "Drop"])?;
        let mut calls = Call::ALL.into_iter();
        let call = calls
            .find(|call| call.to_string() == self.call)
            .ok_or_else(|| NotAFault::NoCall(self.call.clone()))?;
        let mut codes = Code::ALL.into_iter();
        let code = match self.code.as_str() {
            "" => None,
            name => Some(
                codes
                    .find(|code| code.to_string() == name)
                    .ok_or_else(|| NotAFault::NoCode(name.to_owned()))?,
            ),
        };
        self.does_something(code.is_some(), "Code, Delay or Hang")?;
        Ok(Place::Call {
            call,
            plugin: self.plugin.clone(),
            code,
        })
    }

    fn does_something(&self, has_outcome: bool, words: &'static str) -> Result<(), NotAFault> {
        if self.hang && has_outcome {
            return Err(NotAFault::Useless("Hang beside what ends it"));
        }
        match has_outcome || self.hang || !self.delay.is_zero() {
            true => Ok(()),
            false => Err(NotAFault::Nothing(words)),
        }
    }

    fn useless(&self, names: &[&'static str]) -> Result<(), NotAFault> {
        let is_said = |name: &&&str| match **name {
            "Volume" => !self.volume.is_empty(),
            "Plugin" => !self.plugin.is_empty(),
            "Delay" => !self.delay.is_zero(),
            "Hang" => self.hang,
            "Status" => self.status != 0,
            "Drop" => self.drop,
            "Code" => !self.code.is_empty(),
            "Message" => !self.message.is_empty(),
            "AfterWork" => self.after_work,
            _ => false,
        };
        match names.iter().find(is_said) {
            Some(name) => Err(NotAFault::Useless(name)),
            None => Ok(()),
        }
    }
}
