//! [`Stage`]: the broker, the handlers, the gateways and the callers, and what happens to them.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use trunkline_services::{Kind, Server};

use super::actor::Actor;
use super::callers::Callers;
use super::plan::{Event, GATEWAYS, HANDLERS, Plan};
use crate::process::{command, free_address_on, target};

/// How long the broker is stopped.
const STOPPED: Duration = Duration::from_secs(5);

/// All who take part.
pub(super) struct Stage<K: Kind> {
    callers: Callers,
    gateways: Vec<Actor>,
    handlers: Vec<Actor>,
    broker: Server<K>,
    began: Instant,
    /// How many calls may have been made.
    allowed: u64,
}

impl<K: Kind> Stage<K> {
    /// Starts everybody for such a plan; what they write goes to `folder`.
    pub(super) fn set(folder: &Path, plan: &Plan) -> Result<Self, String> {
        let broker = Server::<K>::start()?;
        let handlers = (1..=HANDLERS).map(|number| handler(number, &broker.uri(), folder));
        let handlers = handlers.collect::<Result<_, _>>()?;
        let (mut gateways, mut addresses) = (Vec::new(), Vec::new());
        for number in 1..=GATEWAYS {
            let (actor, address) = gateway(number, &broker.uri(), folder)?;
            gateways.push(actor);
            addresses.push(address);
        }
        let outcomes = folder.join("outcomes");
        let mut callers =
            command(program("examples/ledger"), ["callers", "--gateways", &addresses.join(",")]);
        callers.args(["--calls", &plan.calls.to_string(), "--outcomes"]).arg(outcomes);
        let callers = Callers::start(&mut callers)?;
        Ok(Self { callers, gateways, handlers, broker, began: Instant::now(), allowed: 0 })
    }

    /// Has everything happen, and waits until all calls have ended.
    pub(super) fn play(mut self, plan: &Plan) -> Result<(), String> {
        self.await_well()?;
        self.happen(&plan.faults, plan.drains_from())?;
        self.callers.await_ended(plan.drains_from())?;
        self.tell("nothing fails any more, but all are drained in turn");
        self.happen(&plan.drains, plan.calls)?;
        self.callers.await_ended(plan.calls)?;
        self.tell("all calls have ended");
        self.callers.finish()
    }

    /// Has `events` happen, each in the midst of an equal share of the calls up to `end`: a third of
    /// them is made before it, a third is there to be made while it happens, a third after it.
    fn happen(&mut self, events: &[Event], end: u64) -> Result<(), String> {
        let first = self.allowed;
        let shares = u64::try_from(events.len()).unwrap_or(u64::MAX).max(1);
        for (index, event) in (1..).zip(events) {
            let (start, end) = (self.allowed, first + (end - first) * index / shares);
            let third = (end - start) / 3;
            self.callers.allow(end - third)?;
            self.callers.await_ended(start + third)?;
            self.tell(&format!("{event:?}"));
            self.act(*event)?;
            self.await_well()?;
            self.callers.allow(end)?;
            self.allowed = end;
        }
        Ok(())
    }

    fn act(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::KillHandler(which) => self.handlers[which].kill(),
            Event::KillGateway(which) => self.gateways[which].kill(),
            Event::DrainHandler(which) => self.handlers[which].drain(),
            Event::DrainGateway(which) => self.gateways[which].drain(),
            Event::RestartBroker => self.broker.restart(),
            Event::StopBroker => {
                self.broker.stop()?;
                sleep(STOPPED);
                self.broker.resume()
            }
        }
    }

    /// Waits until all have found each other: the next thing is to happen to a cluster that is whole.
    fn await_well(&mut self) -> Result<(), String> {
        self.callers.await_well(&(1..=HANDLERS).map(handler_name).collect::<Vec<_>>().join(","))
    }

    fn tell(&self, what: &str) {
        let seconds = self.began.elapsed().as_secs_f32();
        println!("[{seconds:6.1} s, {} calls have ended] {what}", self.callers.ended());
    }
}

fn handler_name(number: usize) -> String {
    format!("handler-{number}")
}

fn handler(number: usize, broker: &str, folder: &Path) -> Result<Actor, String> {
    let (name, broker) = (handler_name(number), broker.to_owned());
    let ledger = folder.join(format!("{name}.ledger"));
    let handler = name.clone();
    Actor::start(&name, folder, move || {
        let mut command = command(program("examples/ledger"), ["handler", &handler, "--broker", &broker]);
        command.arg("--ledger").arg(&ledger);
        command
    })
}

/// And the address at which it is, also when it has been started again.
fn gateway(number: usize, broker: &str, folder: &Path) -> Result<(Actor, String), String> {
    let name = format!("gateway-{number}");
    // no outgoing connection has that address, so that nobody takes its port while it is not there
    let host = Ipv4Addr::new(127, 0, 0, u8::try_from(number + 1).unwrap_or(u8::MAX));
    let address = free_address_on(host)?;
    let file = folder.join(format!("{name}.toml"));
    let settings = format!(
        "name = \"{name}\"\n\n[listen]\nhttp = \"{address}\"\n\n[broker]\nurl = \"{broker}\"\n\n\
         [limits]\ncall_timeout = \"30s\"\n"
    );
    fs::write(&file, settings).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let actor = Actor::start(&name, folder, move || {
        let mut command = command(program("trunkline"), ["gateway", "--json", "--config"]);
        command.arg(&file);
        command
    })?;
    Ok((actor, format!("http://{address}")))
}

/// One of those that have been built.
fn program(name: &str) -> std::path::PathBuf {
    target().join("debug").join(name)
}
