//! [`Supervisor`]: makes a line's connections, one after the other.

use super::{
    Login, Nats,
    connection::{AT_A_TIME, Connection},
    line::State,
    outgoing::ROOM,
    subject::Address,
};
use crate::{
    backoff::Backoff,
    broker::{Arrival, Inbox, STABLE},
    clock::now,
};
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, Subscriber};
use futures_util::StreamExt;
use rand::random;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::yield_now,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// The first pause before a new attempt, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a server may take to do what it is asked to at first.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a server may take to notice that a node leaves.
const PARTING: Duration = Duration::from_secs(1);

/// How many messages of one subscription may wait to be heard, before more are dropped.
/// Nobody who hears makes them wait: these are as many as may be read from the connection
/// before those who hear have their turn, on one thread.
const MOST_UNHEARD: usize = 65_536;

/// An address at which nothing ever is.
const NOWHERE: &str = "nats://127.0.0.1:0";

/// Makes a line's connections, one after the other.
pub(super) struct Supervisor {
    broker: Nats,
    name: Box<str>,
    state: Arc<State>,
    leaving: CancellationToken,
}

/// Why a line is not restored.
#[derive(Debug, thiserror::Error)]
enum Unreached {
    #[error("it refuses the user, password or token of its address, or wants one")]
    Refused,
    #[error("{0}")]
    Unconnected(String),
    #[error("it does not let us hear what we say: the user needs to publish and subscribe to trunkline.>")]
    Mute,
}

impl From<ConnectError> for Unreached {
    fn from(error: ConnectError) -> Self {
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation => Self::Refused,
            _ => Self::Unconnected(error.to_string()),
        }
    }
}

impl Supervisor {
    pub(super) fn new(broker: Nats, name: &str, state: Arc<State>, leaving: CancellationToken) -> Self {
        Self { broker, name: name.into(), state, leaving }
    }

    /// Keeps the line restored, until the node leaves.
    pub(super) async fn run(self, inbox: Arc<dyn Inbox>) {
        let leaving = self.leaving.clone();
        let (mut number, mut told) = (0, String::new());
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        while !leaving.is_cancelled() {
            let Some(reached) = leaving.run_until_cancelled(self.connect()).await else { return };
            let since = now();
            let unreached = match reached {
                Ok(reached) => {
                    number += 1;
                    self.keep(number, reached, &inbox).await.err()
                }
                Err(error) => Some(error),
            };
            let mut lived = Duration::ZERO;
            match unreached {
                None => (lived, told) = (now().saturating_duration_since(since), String::new()),
                Some(error) => {
                    let (server, error) = (self.broker.named(), error.to_string());
                    if error == told {
                        tracing::debug!(%server, %error, "NATS is still not reached");
                    } else {
                        tracing::warn!(%server, %error, "NATS is not reached; it is tried again and again");
                        told = error;
                    }
                }
            }
            if lived >= STABLE {
                backoff.restart();
            }
            leaving.run_until_cancelled(sleep(backoff.pause())).await;
        }
    }

    /// Connects, and subscribes to where answers come.
    async fn connect(&self) -> Result<Reached, Unreached> {
        let Nats { servers, login, tls, heartbeat } = &self.broker;
        let options = ConnectOptions::new()
            .name(&*self.name)
            .tls_client_config(tls.config().clone())
            .ping_interval((*heartbeat / 3).max(Duration::from_millis(1)))
            .subscription_capacity(MOST_UNHEARD)
            .client_capacity(ROOM)
            .max_reconnects(servers.len())
            .reconnect_delay_callback(|_| Duration::ZERO)
            .ignore_discovered_servers()
            .event_callback(tell);
        let options = match login.clone() {
            Login::Nothing => options,
            Login::Token(token) => options.token(token),
            Login::User(user, password) => options.user_and_password(user, password),
        };
        let client = options.connect(&**servers).await?;
        // so that its attempt to reconnect fails, and it ends when its connection is lost
        let nowhere = client.set_server_pool(NOWHERE).await;
        nowhere.map_err(|error| Unreached::Unconnected(error.to_string()))?;
        let address = self.state.subjects.inbox(random());
        let answers = client.subscribe(address.all()).await;
        let answers = answers.map_err(|error| Unreached::Unconnected(error.to_string()))?;
        Ok(Reached { client, address, answers })
    }

    /// Restores the line, hears answers and sends what is gathered, until the connection is lost
    /// or the node leaves.
    async fn keep(&self, number: u64, reached: Reached, inbox: &Arc<dyn Inbox>) -> Result<(), Unreached> {
        let Reached { client, address, mut answers } = reached;
        let (opening, opened) = watch::channel(false);
        let subjects = self.state.subjects.clone();
        let connection = Connection::new(number, client, subjects, address, inbox.clone(), opened);
        let connection = Arc::new(connection);
        self.state.join(&connection);
        let passed = timeout(PATIENCE, marked(&connection, &mut answers));
        let is_there = self.leaving.run_until_cancelled(passed).await.transpose();
        if let Ok(Some(true)) = is_there {
            self.state.open();
            tracing::info!(server = %self.broker.named(), "NATS is there");
            inbox.arrived(Arrival::Restored);
            opening.send_replace(true);
            let open = async {
                tokio::select! {
                    () = hear(&connection, &mut answers) => {}
                    never = connection.keep_posting() => match never {},
                }
            };
            self.leaving.run_until_cancelled(open).await;
        }
        self.state.lose();
        drop(opening);
        if self.leaving.is_cancelled() {
            // once the server knows it, it gives what comes to others
            connection.hear_no_more().await;
            let _ = timeout(PARTING, marked(&connection, &mut answers)).await;
        }
        if self.leaving.is_cancelled() || is_there.is_err() {
            connection.close();
        }
        connection.end().await;
        match is_there {
            Ok(Some(true)) if !self.leaving.is_cancelled() => {
                tracing::warn!(server = %self.broker.named(), "NATS is lost");
                inbox.arrived(Arrival::Lost);
                Ok(())
            }
            Ok(Some(false)) => Err(Unreached::Unconnected("it has closed the connection".to_owned())),
            Ok(_) => Ok(()),
            Err(_) => Err(Unreached::Mute),
        }
    }
}

/// Hears answers until the connection is lost.
async fn hear(connection: &Connection, answers: &mut Subscriber) {
    let mut heard = 0;
    while let Some(message) = answers.next().await {
        heard += connection.answered(message);
        if heard >= AT_A_TIME {
            heard = 0;
            yield_now().await;
        }
    }
}

/// What a connection begins with.
struct Reached {
    client: Client,
    address: Address,
    answers: Subscriber,
}

/// Hears answers until the server has done all that it was asked to before; whether it has.
async fn marked(connection: &Connection, answers: &mut Subscriber) -> bool {
    let mut marked = pin!(connection.mark());
    loop {
        tokio::select! {
            () = &mut marked => return true,
            message = answers.next() => match message {
                Some(message) => { connection.answered(message); }
                None => return false,
            },
        }
    }
}

/// Tells operators what a client notices; that it is lost, they hear of otherwise.
async fn tell(event: Event) {
    match event {
        Event::SlowConsumer(_) => {
            tracing::warn!("messages of NATS were dropped: they were not taken in time")
        }
        Event::ServerError(error) => tracing::warn!(%error, "NATS refuses something"),
        _ => {}
    }
}
