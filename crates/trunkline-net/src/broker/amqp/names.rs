//! [`Names`]: what exchanges and queues are called.
//!
//! | what | default network | others |
//! |---|---|---|
//! | exchange of procedures without a scope | `rpc-global` | `rpc-global.<network>` |
//! | exchange of all others | `rpc-scoped` | `rpc-scoped.<network>` |
//! | exchange of events | `rpc-events` | `rpc-events.<network>` |
//! | queue of a procedure | `rpc.trunkline.<key>` | `rpc.<network>.<key>` |
//!
//! The first two of the default network are those of `therms`. No two are the same: what
//! people choose is [spelled](spelled) so that it ends where the table says it does.

use sha1::{Digest, Sha1};
use std::fmt::Write;

/// The network that is called as `therms` calls it.
const DEFAULT: &str = "trunkline";

/// The longest name that AMQP has.
const LONGEST: usize = 255;

/// What exchanges and queues of one network are called.
pub(super) struct Names {
    pub(super) global: String,
    pub(super) scoped: String,
    pub(super) events: String,
    network: String,
}

impl Names {
    pub(super) fn new(network: &str) -> Self {
        let spelled = spelled(network, ".");
        let suffix = if network == DEFAULT { String::new() } else { format!(".{spelled}") };
        let exchange = |name: &str| fitting(format!("{name}{suffix}"));
        Self {
            global: exchange("rpc-global"),
            scoped: exchange("rpc-scoped"),
            events: exchange("rpc-events"),
            network: spelled,
        }
    }

    pub(super) fn exchange_of_scope(&self, scope: &str) -> &str {
        if scope == "global" { &self.global } else { &self.scoped }
    }

    /// The exchange for requests with this key, as a text.
    pub(super) fn exchange(&self, key: &str) -> &str {
        self.exchange_of_scope(key.split_once("::").map_or("", |(scope, _)| scope))
    }

    /// The queue that all share who serve this key.
    pub(super) fn queue(&self, key: &str) -> String {
        fitting(format!("rpc.{}.{}", self.network, spelled(key, "")))
    }
}

/// The queue of one node, which nobody can guess.
pub(super) fn private_queue(node: &str, what: &str, random: u128) -> String {
    let mut name = spelled(node, ".");
    name.truncate(name.floor_char_boundary(180));
    format!("{name}-{what}-{random:032x}")
}

/// A text without control characters, which RabbitMQ leaves out of names, and without
/// those of `special`: each is written as its number, after a `%`.
fn spelled(text: &str, special: &str) -> String {
    let mut spelled = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() || char == '%' || special.contains(char) {
            // writing to a string cannot fail
            let _ = write!(spelled, "%{:02X}", u32::from(char));
        } else {
            spelled.push(char);
        }
    }
    spelled
}

/// The name itself, or one as long as may be that stands for it.
fn fitting(mut name: String) -> String {
    if name.len() > LONGEST {
        let hash = Sha1::digest(&name);
        name.truncate(name.floor_char_boundary(LONGEST - 41));
        name.push('#');
        hash.iter().for_each(|byte| _ = write!(name, "{byte:02x}"));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_default_network_is_that_of_therms_and_others_have_names_of_their_own() {
        let names = Names::new("trunkline");
        assert_eq!(
            (&*names.global, &*names.scoped, &*names.events),
            ("rpc-global", "rpc-scoped", "rpc-events")
        );
        assert_eq!(names.exchange("global::ping::1"), "rpc-global");
        assert_eq!(names.exchange("globals::ping::1"), "rpc-scoped");
        assert_eq!(names.queue("global::ping::1"), "rpc.trunkline.global::ping::1");
        let names = Names::new("my.net");
        assert_eq!(
            (&*names.global, &*names.queue("a::b::1")),
            ("rpc-global.my%2Enet", "rpc.my%2Enet.a::b::1")
        );
    }

    #[test]
    fn no_two_queues_are_the_same_and_none_is_too_long() {
        let long = "x".repeat(300);
        let mut seen = HashSet::new();
        for network in ["trunkline", "", "a", "a.b", "a%2Eb", "a\n", "ä", &long] {
            for key in ["a::b::1", "b.a::b::1", "a::b\n::1", "a::b%0A::1", &long, &(long.clone() + "y")] {
                let name = Names::new(network).queue(key);
                assert!(name.len() <= LONGEST && !name.contains('\n'), "{name}");
                assert!(seen.insert(name.clone()), "{name}");
            }
        }
        let name = private_queue(&("amq.".to_owned() + &"ü".repeat(200)), "rpc", u128::MAX);
        assert!(name.starts_with("amq%2E") && name.ends_with("ü-rpc-ffffffffffffffffffffffffffffffff"));
        assert!(name.len() <= LONGEST);
    }
}
