//! Starting, changing and stopping scopes.

use std::time::Duration;

use super::bus::{Bus, sockets};
use super::unit::{Unit, UnitName};
use super::wire::{Body, Properties, Value};
use crate::error::{Error, Kind, Result};

/// How long systemd may take for all of one request.
const PATIENCE: Duration = Duration::from_secs(30);

/// What systemd says of a unit that it does not have (any more).
const NO_SUCH: &str = "NoSuchUnit";

impl Unit {
    /// Makes the scope with a process in it.
    ///
    /// # Errors
    /// What systemd says; a unit of that name.
    pub(in crate::cgroups) fn start(&self, pid: i32) -> Result<()> {
        let mut bus = self.name.bus()?;
        bus.subscribe()?;
        let mut properties = self.properties.clone();
        properties.push(("PIDs".to_owned(), Value::Numbers(vec![pid.unsigned_abs()])));
        let mut body = Body::default();
        body.text(&self.name.name).text("fail").properties(&properties).nothing();
        let job = bus.call("StartTransientUnit", "ssa(sv)a(sa(sv))", &mut body)?;
        finish(&mut bus, &job, &self.name)
    }
}

impl UnitName {
    fn bus(&self) -> Result<Bus> {
        Bus::connect(&sockets(self.user), PATIENCE)
    }

    /// Changes properties, until the next boot.
    ///
    /// # Errors
    /// What systemd says.
    pub(in crate::cgroups) fn set(&self, properties: &Properties) -> Result<()> {
        if properties.is_empty() {
            return Ok(());
        }
        let mut body = Body::default();
        body.text(&self.name).u32(1).properties(properties);
        self.bus()?.call("SetUnitProperties", "sba(sv)", &mut body).map(drop)
    }

    /// Removes the scope, which kills what is in it, and forgets that it has failed. One that is gone
    /// already is fine.
    ///
    /// # Errors
    /// What systemd says.
    pub(in crate::cgroups) fn stop(&self) -> Result<()> {
        let mut bus = self.bus()?;
        bus.subscribe()?;
        match bus.call("StopUnit", "ss", Body::default().text(&self.name).text("replace")) {
            Err(error) if error.to_string().contains(NO_SUCH) => return Ok(()),
            job => finish(&mut bus, &job?, self)?,
        }
        match bus.call("ResetFailedUnit", "s", Body::default().text(&self.name)) {
            Err(error) if !error.to_string().contains(NO_SUCH) => Err(error),
            _ => Ok(()),
        }
    }
}

fn finish(bus: &mut Bus, job: &[String], unit: &UnitName) -> Result<()> {
    let job = job.first().ok_or_else(|| Error::message(Kind::System, "systemd names no job"))?;
    match bus.await_job(job)?.as_str() {
        "done" => Ok(()),
        result => {
            let text = format!("systemd's job for `{}` ended as `{result}`", unit.name);
            Err(Error::message(Kind::System, text)
                .hinted(format!("`systemctl status {}` tells more", unit.name)))
        }
    }
}

impl Bus {
    /// Asks to be told of jobs. Twice is no harm.
    fn subscribe(&mut self) -> Result<()> {
        match self.call("Subscribe", "", &mut Body::default()) {
            Err(error) if !error.to_string().contains("AlreadySubscribed") => Err(error),
            _ => Ok(()),
        }
    }
}
