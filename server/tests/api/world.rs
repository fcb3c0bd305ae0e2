//! What a case of the document runs in: a server, with the driver that the case wants.

use crate::scripted_driver::{Reply, ScriptedDriver, controller_capabilities};
use crate::server::TestServer;
use saddlebag::config::{Launch, PluginConfig};
use saddlebag::csi::{self, Call};
use saddlebag::http::contract::examples::{Case, Driver};
use saddlebag::id::PluginId;

/// What a driver is asked about volumes and snapshots.
const STORAGE_CALLS: [Call; 15] = [
    Call::CreateVolume,
    Call::DeleteVolume,
    Call::ControllerExpandVolume,
    Call::ValidateVolumeCapabilities,
    Call::ListVolumes,
    Call::CreateSnapshot,
    Call::DeleteSnapshot,
    Call::ListSnapshots,
    Call::ControllerPublishVolume,
    Call::ControllerUnpublishVolume,
    Call::NodeStageVolume,
    Call::NodeUnstageVolume,
    Call::NodePublishVolume,
    Call::NodeUnpublishVolume,
    Call::NodeExpandVolume,
];

/// A server, and the driver of its plugin where that is not the built-in one.
pub struct World {
    pub server: TestServer,
    driver: Option<ScriptedDriver>,
}

impl World {
    /// A world for these cases: with a driver of its own if any of them wants something of it.
    pub async fn of(cases: &[&Case]) -> Self {
        let wanted: Vec<&Driver> = cases
            .iter()
            .filter_map(|case| case.example.driver.as_ref())
            .collect();
        let acl = cases.iter().any(|case| case.example.acl);
        if wanted.is_empty() {
            let server = TestServer::start_with(|config| {
                config.builtin_driver = true;
                config.acl_enabled = acl;
                config.testing = true;
            });
            return Self {
                server: server.await,
                driver: None,
            };
        }
        let driver = ScriptedDriver::start();
        for wanted in wanted {
            if let Driver::Announces(names) = wanted {
                let answer = controller_capabilities(&numbers(names));
                driver.always(Call::ControllerGetCapabilities, Reply::answer(answer));
            }
        }
        let plugin = PluginConfig::new(
            PluginId::known("local"),
            Launch::Listening(driver.endpoint()),
        );
        Self {
            server: TestServer::start_with(|config| {
                config.plugins = vec![plugin];
                config.acl_enabled = acl;
                config.testing = true;
            })
            .await,
            driver: Some(driver),
        }
    }

    /// Lets the driver do what a case wants of it.
    pub async fn prepare(&mut self, case: &Case) {
        let (Some(driver), Some(wanted)) = (&mut self.driver, &case.example.driver) else {
            return;
        };
        match wanted {
            Driver::Announces(_) => {}
            Driver::Refuses { code, message } => {
                answer_all(driver, &Reply::refuse(grpc(*code), message));
            }
            Driver::Hangs => answer_all(driver, &Reply::Hang),
            Driver::Gone => {
                driver.leave();
                let is_noticed = |state: &saddlebag::state::State| {
                    let mut plugins = state.plugins();
                    plugins.all(|plugin| {
                        let health = plugin.health();
                        health.controllers_healthy + health.nodes_healthy == 0
                    })
                };
                self.server
                    .until("the driver to be missed", is_noticed)
                    .await;
            }
        }
    }

    /// Stops the server. The driver goes first, so that no call to it holds the server up.
    pub async fn end(&mut self) {
        drop(self.driver.take());
        self.server.stop().await;
    }
}

fn answer_all(driver: &ScriptedDriver, reply: &Reply) {
    for call in STORAGE_CALLS {
        driver.always(call, reply.clone());
    }
}

/// The numbers of controller capabilities.
fn numbers(names: &[String]) -> Vec<i32> {
    use csi::v1::controller_service_capability::rpc::Type;
    let number = |name: &String| match Type::from_str_name(name) {
        Some(capability) => capability as i32,
        None => panic!("{name} is no controller capability of CSI"),
    };
    names.iter().map(number).collect()
}

/// gRPC's code of a name.
fn grpc(code: csi::Code) -> tonic::Code {
    let all = (1..=16).map(tonic::Code::from);
    let name = |code: &tonic::Code| format!("{code:?}").replace("Cancelled", "Canceled");
    all.into_iter()
        .find(|known| name(known) == format!("{code:?}"))
        .unwrap()
}
