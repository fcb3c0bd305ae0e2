//! The faults that are to strike, in their order.

use super::fault::{Fault, Outcome, Place};
use crate::csi::{Call, Code};
use crate::id::{NodeId, PluginId};
use saddlebag_client::operations::Operation;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The faults. Clones are the same list.
#[derive(Clone, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Default)]
struct Shared {
    list: Mutex<List>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct List {
    armed: Vec<Armed>,
    /// Ends what these hold up.
    over: CancellationToken,
}

struct Armed {
    fault: Fault,
    struck: u64,
}

/// What a request or a call that was struck has to go through.
pub struct Struck<Outcome> {
    /// What it comes to in place of what it would; nothing if it is only held up.
    pub outcome: Option<Outcome>,
    /// The text of that.
    pub message: String,
    /// Whether its work is done first.
    pub after_work: bool,
    delay: Duration,
    hang: bool,
    over: CancellationToken,
}

impl<Outcome> Struck<Outcome> {
    /// Holds up for as long as it has to.
    pub async fn hold(&self) {
        if self.hang {
            self.over.cancelled().await;
        } else if !self.delay.is_zero() {
            let delay = tokio::time::sleep(self.delay);
            self.over.run_until_cancelled(delay).await;
        }
    }
}

impl Faults {
    /// Has these from now on. What was held up goes on. Gives back those of before, with how often each
    /// struck.
    pub fn set(&self, faults: Vec<Fault>) -> Vec<(Fault, u64)> {
        let armed = faults.into_iter().map(|fault| Armed { fault, struck: 0 });
        let next = List {
            armed: armed.collect(),
            over: CancellationToken::new(),
        };
        let before = std::mem::replace(&mut *self.lock(), next);
        before.over.cancel();
        self.0.changed.send_replace(());
        before
            .armed
            .into_iter()
            .map(|armed| (armed.fault, armed.struck))
            .collect()
    }

    /// Those that there are, with how often each struck.
    pub fn list(&self) -> Vec<(Fault, u64)> {
        let list = self.lock();
        let all = list.armed.iter();
        all.map(|armed| (armed.fault.clone(), armed.struck))
            .collect()
    }

    /// Strikes a request for an operation, whose path names this volume and plugin, if one is to.
    pub fn strike_request(
        &self,
        asked: Operation,
        volume: Option<&str>,
        plugin: Option<&str>,
    ) -> Option<Struck<Outcome>> {
        let names = |wanted: &str, named: Option<&str>| wanted.is_empty() || named == Some(wanted);
        self.strike(|place| match place {
            Place::Operation {
                operation,
                volume: of_volume,
                plugin: of_plugin,
                outcome,
            } if *operation == asked && names(of_volume, volume) && names(of_plugin, plugin) => {
                Some(*outcome)
            }
            _ => None,
        })
    }

    /// Whether a node is away.
    pub fn is_away(&self, node: &NodeId) -> bool {
        let list = self.lock();
        let mut places = list.armed.iter().map(|armed| &armed.fault.place);
        places.any(|place| matches!(place, Place::Node(away) if away == node))
    }

    /// Tells of each change of the list.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    fn strike<O>(&self, fits: impl Fn(&Place) -> Option<Option<O>>) -> Option<Struck<O>> {
        let mut list = self.lock();
        let over = list.over.clone();
        let mut unspent = list
            .armed
            .iter_mut()
            .filter(|armed| armed.struck < armed.fault.count);
        let (armed, outcome) = unspent.find_map(|armed| {
            let outcome = fits(&armed.fault.place)?;
            Some((armed, outcome))
        })?;
        armed.struck += 1;
        let fault = &armed.fault;
        Some(Struck {
            outcome,
            message: fault.message.clone(),
            after_work: fault.after_work,
            delay: fault.delay,
            hang: fault.hang,
            over,
        })
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The faults that calls over one connection can meet.
#[derive(Clone)]
pub struct CallFaults {
    faults: Faults,
    plugin: PluginId,
    /// The node whose service is called; none for a controller.
    node: Option<NodeId>,
}

impl CallFaults {
    /// Those of calls to this plugin's controller.
    pub fn of(faults: &Faults, plugin: &PluginId) -> Self {
        Self {
            faults: faults.clone(),
            plugin: plugin.clone(),
            node: None,
        }
    }

    /// Those of calls to this plugin's service on a node.
    #[must_use]
    pub fn on_node(self, node: &NodeId) -> Self {
        Self {
            node: Some(node.clone()),
            ..self
        }
    }

    /// Whether the driver is out of reach, for as long as the faults do not change.
    pub fn is_away(&self) -> bool {
        self.node
            .as_ref()
            .is_some_and(|node| self.faults.is_away(node))
    }

    /// Strikes a call, if one is to.
    pub fn strike(&self, made: Call) -> Option<Struck<Code>> {
        self.faults.strike(|place| match place {
            Place::Call { call, plugin, code }
                if *call == made && (plugin.is_empty() || plugin == self.plugin.as_str()) =>
            {
                Some(*code)
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Said;

    fn fault(said: Said) -> Fault {
        Fault::said(said).unwrap()
    }

    fn busy(volume: &str, count: i64) -> Fault {
        fault(Said {
            operation: "read_volume".to_owned(),
            volume: volume.to_owned(),
            status: 503,
            count,
            ..Said::default()
        })
    }

    #[test]
    fn a_fault_strikes_so_often_and_then_the_next_that_fits() {
        let faults = Faults::default();
        faults.set(vec![busy("db", 2), busy("", 1)]);
        let strike = |volume| {
            let struck = faults.strike_request(Operation::ReadVolume, Some(volume), None);
            struck.is_some()
        };
        assert!(
            faults
                .strike_request(Operation::ListVolumes, None, None)
                .is_none()
        );
        assert_eq!(
            ["db", "db", "db", "db"].map(strike),
            [true, true, true, false]
        );
        let fired: Vec<u64> = faults
            .list()
            .into_iter()
            .map(|(_, struck)| struck)
            .collect();
        assert_eq!(fired, [2, 1]);
    }

    #[tokio::test]
    async fn what_is_held_up_goes_on_when_the_faults_change() {
        let faults = Faults::default();
        faults.set(vec![fault(Said {
            call: "CreateVolume".to_owned(),
            hang: true,
            ..Said::default()
        })]);
        let calls = CallFaults::of(&faults, &PluginId::known("local"));
        assert!(calls.strike(Call::DeleteVolume).is_none());
        let struck = calls.strike(Call::CreateVolume).unwrap();
        let held = tokio::spawn(async move { struck.hold().await });
        tokio::task::yield_now().await;
        assert!(!held.is_finished());
        faults.set(Vec::new());
        held.await.unwrap();
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_is_wrong() {
        let refused = |said: Said| Fault::said(said).unwrap_err().to_string();
        let call = || Said {
            call: "CreateVolume".to_owned(),
            ..Said::default()
        };
        for (said, wrong) in [
            (
                Said::default(),
                "say where it strikes, by one of Operation, Call and Node",
            ),
            (call(), "say what happens: Code, Delay or Hang"),
            (
                Said {
                    status: 503,
                    ..call()
                },
                "Status is of no use here",
            ),
            (
                Said {
                    code: "EIO".to_owned(),
                    ..call()
                },
                "there is no gRPC code \"EIO\": use one such as ResourceExhausted",
            ),
            (
                Said {
                    hang: true,
                    code: "Internal".to_owned(),
                    ..call()
                },
                "Hang beside what ends it is of no use here",
            ),
            (
                Said {
                    operation: "reset".to_owned(),
                    status: 500,
                    ..Said::default()
                },
                "there is no operation \"reset\" that can be made to fail",
            ),
            (
                Said {
                    operation: "read_volume".to_owned(),
                    status: 200,
                    ..Said::default()
                },
                "Status: 200 is no failure: use 400 to 599",
            ),
            (
                Said {
                    count: -1,
                    hang: true,
                    ..call()
                },
                "Count: -1 is less than 0",
            ),
            (
                Said {
                    node: "n".to_owned(),
                    hang: true,
                    ..Said::default()
                },
                "Hang is of no use here",
            ),
        ] {
            assert_eq!(refused(said), wrong);
        }
    }
}
