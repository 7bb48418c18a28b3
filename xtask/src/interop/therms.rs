//! Gateways and handlers of trunkline and of the kit, joined by RabbitMQ in every way there is.

use std::net::SocketAddr;
use std::time::Duration;

use trunkline_services::RabbitMqServer;

use super::kit::{Kit, Program};
use crate::process::Running;
use crate::services;

/// How long a gateway or a handler may take until it is ready.
const START: Duration = Duration::from_secs(30);

/// Whose program it is.
#[derive(Clone, Copy, Debug)]
enum By {
    Trunkline,
    Node,
}

/// Who stands where, and what passes then.
struct Cluster {
    gateway: By,
    /// With their options.
    handlers: &'static [(By, &'static str)],
    client: Program,
    messages: Option<Program>,
}

use By::{Node, Trunkline};

const CLUSTERS: &[Cluster] = &[
    Cluster {
        gateway: Trunkline,
        handlers: &[(Node, "")],
        client: ("client.mjs --mode network --beyond --h2", 95),
        messages: Some(("amqp-check.mjs --gateway --beyond", 11)),
    },
    Cluster {
        gateway: Node,
        handlers: &[(Trunkline, "")],
        client: ("client.mjs --mode network --beyond --h2", 95),
        messages: Some(("amqp-check.mjs --handler --beyond", 16)),
    },
    Cluster {
        gateway: Trunkline,
        handlers: &[(Trunkline, "")],
        client: ("client.mjs --mode network --slow --beyond --h2", 96),
        messages: Some(("amqp-check.mjs --handler --gateway --beyond", 27)),
    },
    Cluster {
        gateway: Node,
        handlers: &[(Trunkline, ""), (Trunkline, "")],
        // these two count, which is done in one process
        client: ("client.mjs --mode network --beyond --h2 --skip rpc-in-flight-shared,rpc-cache", 93),
        messages: Some(("amqp-check.mjs --handler --beyond", 16)),
    },
    Cluster {
        gateway: Trunkline,
        handlers: &[(Trunkline, "--scopes global,first,internal"), (Node, "--scopes test,math")],
        client: ("client.mjs --mode network --beyond --h2", 95),
        messages: None,
    },
    Cluster {
        gateway: Trunkline,
        handlers: &[(Node, "--scopes global,first,internal"), (Trunkline, "--scopes test,math")],
        client: ("client.mjs --mode network --beyond --h2", 95),
        messages: None,
    },
];

/// What becomes of procedures that handlers of both have; it starts them itself.
const BESIDE: Program = ("beside.mjs", 9);

/// Plays all of them, each in a virtual host of its own.
pub(super) fn clusters(kit: &Kit, example: &str) -> Result<(), String> {
    let rabbitmq = services::shared::<RabbitMqServer>()?;
    for cluster in CLUSTERS {
        cluster.play(kit, example, &rabbitmq.vhost()?)?;
    }
    let example = format!("{example} therms");
    kit.play(BESIDE, ["--amqp", &rabbitmq.vhost()?, "--spawn", &example])
}

impl Cluster {
    fn play(&self, kit: &Kit, example: &str, broker: &str) -> Result<(), String> {
        let start = |by: By, role: &str, options: &str| {
            let (program, args) = match by {
                Trunkline => (example, format!("therms --role {role} --broker {broker} {options}")),
                Node => ("node", format!("{role}.mjs --amqp {broker} {options}")),
            };
            Running::start_until_ready(&mut kit.command(program, args.split_whitespace()), "ready", START)
        };
        // whatever happens, they end when these go out of scope
        let handlers = self.handlers.iter().map(|&(by, options)| start(by, "handler", options));
        let _handlers = handlers.collect::<Result<Vec<_>, _>>()?;
        let listen = match self.gateway {
            Trunkline => "--http 127.0.0.1:0 --ws 127.0.0.1:0",
            Node => "--http 0 --ws 0",
        };
        let (_gateway, ready) = start(self.gateway, "gateway", listen)?;
        let (http, ws) =
            addresses(&ready).ok_or_else(|| format!("there are no two addresses in `{ready}`"))?;
        let (http, ws) = (format!("http://{http}/rpc"), format!("ws://{ws}"));
        kit.play(self.client, ["--http", &http, "--ws", &ws])?;
        self.messages.map_or(Ok(()), |program| kit.play(program, ["--http", &http, "--amqp", broker]))
    }
}

/// The addresses of HTTP and of WebSocket in what a gateway says when it is ready.
fn addresses(ready: &str) -> Option<(SocketAddr, SocketAddr)> {
    let mut words = ready.split([' ', '=', ',', '[', ']']).filter_map(|word| word.parse().ok());
    words.next().zip(words.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_read_of_what_either_gateway_says() {
        let (http, ws) = ("127.0.0.1:4001".parse().unwrap(), "127.0.0.1:4002".parse().unwrap());
        assert_eq!(addresses("ready [127.0.0.1:4001, 127.0.0.1:4002]"), Some((http, ws)));
        assert_eq!(addresses("ready http=127.0.0.1:4001 ws=127.0.0.1:4002 handlers=1"), Some((http, ws)));
        assert_eq!(addresses("ready http=127.0.0.1:4001 handlers=1"), None);
    }
}
