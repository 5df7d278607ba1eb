//! The owner `systemd`: a container's cgroup is that of a transient scope, which systemd makes, with
//! properties that say the same as the files. rrun writes the files too: they say more.

mod annotations;
mod bus;
mod properties;
mod scope;
mod unit;
mod wire;

pub(super) use properties::{device_properties, resource_properties};
pub(super) use unit::{Unit, UnitName, compile};
pub(super) use wire::Properties;
