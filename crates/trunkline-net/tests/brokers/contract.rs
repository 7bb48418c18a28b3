//! What holds on every broker, as its trait promises.
//!
//! Each broker is a [`World`]; `contract!(TheWorld)` makes one test of each clause.
//! Where brokers differ, their [`Abilities`] say it, and the clause holds them to what they
//! do instead.

mod bounds;
mod leaving;
mod loss;
mod messages;
mod requests;

pub(crate) use self::{bounds::*, leaving::*, loss::*, messages::*, requests::*};

use crate::peer::Peer;
use rand::random;
use std::sync::Arc;
use trunkline_core::Key;
use trunkline_net::broker::Broker;

/// A broker to be tried.
pub(crate) trait World: Sized {
    /// What it can.
    const CAN: Abilities;

    /// One that other tests may use at the same time.
    async fn any() -> Self;

    /// One that can be lost, as nobody else uses it.
    async fn own() -> Self;

    fn broker(&self) -> Arc<dyn Broker>;

    /// Loses it, and all that waits in it, as when its process is killed.
    async fn lose(&mut self);

    /// Brings it back.
    async fn restore(&mut self);
}

/// What some brokers can and others cannot.
pub(crate) struct Abilities {
    /// What a node held that has gone is delivered to another one, and marked; else it is
    /// forgotten.
    pub(crate) redelivers: bool,
    /// No more is delivered to a node than it asks for; else it is up to the node to refuse
    /// what is beyond.
    pub(crate) holds_back: bool,
    /// The most bytes that a body may have, if it has to be so.
    pub(crate) largest: Option<usize>,
}

/// Makes one test of each clause for a [`World`].
macro_rules! contract {
    ($world:ty) => {
        crate::contract::clauses! { $world:
            each_request_goes_to_exactly_one_and_they_share,
            what_nobody_serves_comes_back_at_once,
            a_node_holds_no_more_than_it_asked_for,
            what_a_node_holds_counts_over_all_that_it_serves,
            a_node_that_has_its_fill_hears_answers,
            what_has_expired_is_not_delivered,
            what_a_node_held_that_is_gone_goes_to_another_and_says_so,
            keys_are_told_apart_whatever_they_are_made_of,
            ids_come_back_whatever_they_are_made_of,
            answers_come_to_whom_they_are_for_and_in_order,
            answers_to_nobody_are_lost,
            what_is_published_reaches_each_that_listens_once,
            what_is_unsubscribed_is_heard_no_more,
            networks_are_apart,
            bodies_arrive_as_they_were_sent,
            bodies_that_are_too_large_are_refused_and_do_no_harm,
            more_messages_than_may_wait_are_refused,
            more_bytes_than_may_wait_are_refused,
            there_is_room_for_answers,
            a_node_that_stops_serving_hears_of_all_else,
            the_last_that_stops_leaves_nothing_behind,
            a_node_that_stops_may_go_on_with_one_procedure,
            who_comes_as_the_last_goes_is_found,
            what_is_said_before_leaving_arrives,
            a_node_that_has_left_hears_and_says_nothing,
            a_line_that_is_dropped_lets_go,
            all_is_there_again_after_a_loss,
            a_broker_that_is_not_there_is_waited_for,
        }
    };
}

macro_rules! clauses {
    ($world:ty: $($clause:ident,)*) => {
        mod contract {
            $(#[tokio::test] async fn $clause() { crate::contract::$clause::<$world>().await; })*
        }
    };
}

pub(crate) use {clauses, contract};

/// A network that no other test is in.
pub(crate) fn network() -> String {
    format!("test-{:016x}", random::<u64>())
}

/// A broker, and a network on it.
async fn any<W: World>() -> (W, Arc<dyn Broker>, String) {
    let world = W::any().await;
    let broker = world.broker();
    (world, broker, network())
}

/// A peer that serves `keys`, and one that asks.
async fn pair(broker: &Arc<dyn Broker>, network: &str, prefetch: usize, keys: &[Key<'_>]) -> (Peer, Peer) {
    let server = Peer::serving(broker, network, prefetch, keys).await;
    (server, Peer::attach(broker, network, 1).await)
}
