//! Several servers on one broker: what goes from one to another, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod calls;
mod ending;
mod events;
mod forgetful;
#[path = "../vectors/http_client.rs"]
#[allow(dead_code, reason = "vectors need the rest")]
mod http_client;
mod messages;
mod presence;
mod repeating;
mod sizes;
mod socket;
mod therms;
mod trouble;
mod trust;
#[path = "../vectors/wire.rs"]
#[allow(dead_code, reason = "vectors need the rest")]
mod wire;
mod world;

use std::sync::Arc;
use trunkline::broker::{Broker, Memory};
use world::World;

/// Makes one test of each promise for a [`World`]; `$attribute` is that of its tests.
macro_rules! promises {
    ($world:ty, $(#[$attribute:meta])+) => {
        crate::each_promise! { $world, [$(#[$attribute])+],
            calls::each_call_runs_once_and_both_handlers_have_some,
            calls::what_nobody_has_does_not_exist,
            calls::what_is_said_arrives_as_it_was_said,
            calls::handlers_call_others_and_take_along_who_asks,
            calls::networks_are_apart,
            calls::equal_ids_of_clients_are_told_apart,
            calls::calls_go_in_a_circle_as_often_as_they_may,
            ending::a_call_that_its_client_gives_up_ends_where_it_runs,
            ending::a_chain_that_is_given_up_anywhere_ends_everywhere,
            ending::clients_of_a_server_that_stops_are_reached_until_they_are_gone,
            ending::servers_are_replaced_under_load_and_no_call_is_lost_or_runs_twice,
            messages::a_handler_reaches_the_client_of_any_gateway,
            messages::guards_of_programs_are_no_obstacle_to_the_network_itself,
            messages::a_connection_that_is_not_there_is_not_found,
            messages::what_is_broadcast_reaches_every_client_once,
            messages::what_is_published_reaches_those_who_listen_on_any_server,
            messages::a_client_listens_to_what_another_server_publishes,
            messages::strangers_cannot_send_to_others_however_they_call_it,
            messages::a_client_that_does_not_read_is_told_of_as_such,
            presence::who_joins_is_seen_and_who_leaves_is_missed_at_once,
            presence::who_is_killed_is_forgotten,
            presence::a_broker_that_comes_back_has_all_of_them,
            presence::a_gateway_describes_what_the_others_serve,
            presence::who_stops_is_seen_to_stop,
            presence::the_first_call_is_repeated_of_what_was_announced_to_be_idempotent,
            repeating::a_call_that_may_run_twice_outlives_its_broker,
            repeating::all_attempts_at_a_call_have_the_same_key,
            repeating::a_call_that_runs_still_is_not_run_twice_by_the_same_server,
            trouble::calls_wait_for_a_broker_that_is_lost,
            trouble::a_call_under_way_ends_when_the_broker_is_lost,
            trouble::what_may_have_run_on_a_server_that_was_killed_is_not_run_again,
            trouble::what_may_run_twice_is_run_elsewhere,
            trust::what_is_internal_answers_servers_only,
            trust::a_server_asks_its_own_security_of_strangers,
            trust::no_other_spelling_of_a_name_gets_past_guards_and_rules,
        }
    };
}

/// The same of what goes through sockets, while the clock goes on.
macro_rules! promises_over_sockets {
    ($world:ty) => {
        crate::each_promise! { $world, [#[tokio::test]],
            events::connections_introductions_messages_and_ends_are_told_in_order,
            events::messages_of_clients_go_to_an_internal_procedure_of_another_server,
            therms::equal_correlation_ids_are_told_apart,
            therms::a_thousand_clients_with_one_correlation_id_have_their_own_answers,
            therms::a_handler_is_told_the_same_by_any_way,
            therms::what_is_internal_is_refused_in_the_words_of_each,
            therms::arguments_are_coerced_where_their_procedure_is_and_for_clients_of_therms_alone,
            trust::who_is_nobody_to_a_gateway_that_finds_out_is_nobody_everywhere,
            trust::where_a_client_is_says_a_proxy_that_is_trusted,
        }
    };
}

macro_rules! each_promise {
    ($world:ty, $attributes:tt, $($file:ident::$promise:ident,)*) => {
        $(crate::promise! { $world, $attributes, $file::$promise })*
    };
}

macro_rules! promise {
    ($world:ty, [$($attribute:tt)+], $file:ident::$promise:ident) => {
        $($attribute)+
        async fn $promise() {
            crate::$file::$promise::<$world>().await;
        }
    };
}

pub(crate) use {each_promise, promise, promises, promises_over_sockets};

#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "amqp")]
mod rabbitmq;

/// The broker in memory.
struct InMemory(Memory);

impl World for InMemory {
    const REDELIVERS: bool = true;
    const IS_MISSED_AT_ONCE: bool = true;

    async fn any() -> Self {
        Self(Memory::new())
    }

    async fn own() -> Self {
        Self(Memory::new())
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(self.0.clone())
    }

    async fn lose(&mut self) {
        self.0.lose();
    }

    async fn restore(&mut self) {
        self.0.restore();
    }
}

mod memory {
    promises!(super::InMemory, #[tokio::test(start_paused = true)]);
    promises_over_sockets!(super::InMemory);
}

mod nothing_is_delivered_again {
    promises!(crate::forgetful::Forgetful, #[tokio::test(start_paused = true)]);
    promises_over_sockets!(crate::forgetful::Forgetful);
}
