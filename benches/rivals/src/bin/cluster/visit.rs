//! [`all_loads`]: one contender with fresh processes, under one load after the other.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rivals::process::{Pinned, Server, load};
use serde_json::Value;

use crate::brokers::{Brokers, Place};
use crate::contenders::{Contender, Load, OURS, Way};

/// What compilers and caches get used to, in milliseconds.
const WARM_UP: &str = "500";

/// What one visit found, in microseconds of CPU time a call where nothing else is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Calls a second.
    pub(crate) rate: f64,
    /// The gateway, or who calls where there is none.
    pub(crate) near: f64,
    pub(crate) handler: f64,
    pub(crate) broker: f64,
    /// The clients of the gateway, all in one process.
    pub(crate) clients: Option<f64>,
}

impl Sample {
    /// What all but the broker and the clients took.
    pub(crate) fn ends(&self) -> f64 {
        self.near + self.handler
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, near, handler, broker, .. } = self;
        write!(f, "{rate:7.0} calls/s, near {near:6.1} µs, handler {handler:6.1}, broker {broker:6.1}")
    }
}

/// Measures `contender` under each of its loads.
pub(crate) fn all_loads(
    contender: &Contender,
    seconds: f64,
    brokers: &Brokers,
) -> Result<Vec<(Load, Sample)>> {
    let place = brokers.place(contender.by)?;
    let pair = Pair::start(contender.way, &place)?;
    let measured = contender.loads().iter().map(|load| Ok((*load, pair.measure(*load, seconds, &place)?)));
    measured.collect()
}

/// A handler, and what lets clients reach it.
struct Pair {
    handler: Server,
    /// Where clients go; without one, who calls is a program that measures itself.
    gateway: Option<Gateway>,
    caller: &'static str,
}

/// Where clients go, and what they say there.
struct Gateway {
    server: Server,
    address: String,
    wire: &'static str,
    method: &'static str,
}

impl Gateway {
    /// One that is asked by clients of @therms.
    fn of_therms(server: Server, address: String) -> Self {
        Self { server, address, wire: "ws", method: "math::add::1" }
    }
}

impl Pair {
    fn start(way: Way, place: &Place) -> Result<Self> {
        let uri = &place.uri;
        Ok(match way {
            Way::Straight(caller) => Self { handler: ours(caller, "handler", place)?, gateway: None, caller },
            Way::Gateway => {
                let handler = ours(OURS, "handler", place)?;
                let (gateway, address) = gateway(place)?;
                Self { handler, gateway: Some(Gateway::of_therms(gateway, address)), caller: "load" }
            }
            Way::Relay(program) => {
                let handler = ours(program, "handler", place)?;
                let server = ours(program, "relay", place)?;
                let address = server.address("tcp")?.to_owned();
                let gateway = Gateway { server, address, wire: "tcp", method: "add" };
                Self { handler, gateway: Some(gateway), caller: "load" }
            }
            Way::Node => {
                let handler = Server::foreign(node("handler.mjs")?.args(["--amqp", uri]))?;
                let free = ["--http", "0", "--ws", "0"];
                let server = Server::foreign(node("gateway.mjs")?.args(free).args(["--amqp", uri]))?;
                let address = server.address("ws")?.to_owned();
                let gateway = Gateway::of_therms(server, address);
                Self { handler, gateway: Some(gateway), caller: "load" }
            }
        })
    }

    fn measure(&self, of: Load, seconds: f64, place: &Place) -> Result<Sample> {
        let (connections, window) = (of.clients.to_string(), of.window.to_string());
        let (seconds, broker) = (seconds.to_string(), place.pid.to_string());
        let mut pids = vec![self.handler.pid(), broker];
        let mut flags = vec![("seconds", &*seconds), ("window", &*window), ("warmup", WARM_UP)];
        match &self.gateway {
            Some(Gateway { server, address, wire, method }) => {
                pids.push(server.pid());
                flags.extend([("wire", *wire), ("method", *method), ("address", &**address)]);
                flags.push(("connections", &connections));
            }
            None => flags.extend([("role", "caller"), ("broker", &*place.uri)]),
        }
        let pids = pids.join(",");
        flags.push(("pid", &pids));
        let found = load(self.caller, flags, Pinned::No)?;
        let calls = number(&found["calls"])?;
        let micros = |nanos: &Value| Ok::<_, anyhow::Error>(number(nanos)? / 1e3 / calls);
        let (each, client) = (&found["each_cpu"], micros(&found["client_cpu"])?);
        Ok(Sample {
            rate: calls / number(&found["seconds"])?,
            near: if self.gateway.is_some() { micros(&each[2])? } else { client },
            handler: micros(&each[0])?,
            broker: micros(&each[1])?,
            clients: self.gateway.is_some().then_some(client),
        })
    }
}

/// A gateway of trunkline, and where clients find it.
pub(crate) fn gateway(place: &Place) -> Result<(Server, String)> {
    let gateway = ours(OURS, "gateway", place)?;
    let address = gateway.address("ws")?.to_owned();
    Ok((gateway, address))
}

/// A program of this folder in one of its roles.
pub(crate) fn ours(program: &str, role: &str, place: &Place) -> Result<Server> {
    Server::start(&format!("{program} --role {role} --broker {}", place.uri), Pinned::No, &[])
}

/// A program of the kit for Node.js.
fn node(program: &str) -> Result<Command> {
    let kit = kit();
    ensure!(
        kit.join("node_modules/amqplib").exists(),
        "the kit's packages are missing: `npm ci` in {}, or run `cargo xtask rivals --cluster`, which does it",
        kit.display()
    );
    let mut command = Command::new("node");
    command.current_dir(kit).arg(program);
    Ok(command)
}

fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop/therms")
}

fn number(value: &Value) -> Result<f64> {
    value.as_f64().context("the load left a figure out")
}
