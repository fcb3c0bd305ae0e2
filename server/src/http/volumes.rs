//! The routes of tag `volumes`.

pub(super) mod changes;
pub(super) mod external;
pub(super) mod list;
mod spec;

pub(super) use changes::{
    create_volume, delete_volume, deregister_volume, detach_volume, register_volume,
    register_volumes, register_volumes_by_post,
};
pub(super) use external::list_external_volumes;
pub(super) use list::{list_volumes, read_volume};
