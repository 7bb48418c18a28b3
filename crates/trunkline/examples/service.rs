//! A trait as the contract of both sides: a service, and its typed client.
//!
//! ```text
//! cargo run --example service
//! ```

use futures_util::{Stream, StreamExt, stream};
use std::{collections::BTreeMap, error::Error, sync::Mutex};
use trunkline::{CallError, Client, Router, Server};

/// Who is in which room. In a program of several crates this trait, and the types
/// that it names, live in a crate that server and client share.
#[trunkline::service(scope = "rooms")]
trait Rooms {
    /// Lets a guest into a room; gives how many are there now.
    async fn join(&self, room: String, guest: Option<String>) -> Result<usize, JoinError>;

    /// The guests of a room, one by one.
    #[procedure(idempotent, timeout = "5s")]
    async fn guests(&self, room: String) -> impl Stream<Item = String>;

    /// Shuts a room.
    #[procedure(notification, ordered)]
    async fn shut(&self, room: String);
}

/// Why a guest was not let in.
#[derive(Debug, PartialEq, trunkline::Fault)]
enum JoinError {
    /// The room holds as many guests as it can.
    #[fault("the room is full: {guests} guests", code = 4001)]
    Full {
        /// How many there are.
        guests: usize,
    },
    /// There is no such room any more.
    #[fault("the room is shut", code = 4002)]
    Shut,
}

/// The side that serves.
#[derive(Default)]
struct Hotel {
    rooms: Mutex<BTreeMap<String, Option<Vec<String>>>>,
}

impl Rooms for Hotel {
    async fn join(&self, room: String, guest: Option<String>) -> Result<usize, JoinError> {
        let mut rooms = self.rooms.lock().expect("nothing panics in here");
        let guests = rooms.entry(room).or_insert(Some(vec![])).as_mut().ok_or(JoinError::Shut)?;
        if guests.len() == 2 {
            return Err(JoinError::Full { guests: 2 });
        }
        guests.push(guest.unwrap_or("somebody".into()));
        Ok(guests.len())
    }

    async fn guests(&self, room: String) -> impl Stream<Item = String> {
        let rooms = self.rooms.lock().expect("nothing panics in here");
        stream::iter(rooms.get(&room).cloned().flatten().unwrap_or_default())
    }

    async fn shut(&self, room: String) {
        self.rooms.lock().expect("nothing panics in here").insert(room, None);
    }
}

/// What is served.
pub(crate) fn router() -> Router {
    Router::new().service(RoomsService::new(Hotel::default()))
}

/// Serves, calls, and tells what came of it.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let server = Server::new(router()).tcp("127.0.0.1:0").bind().await?;
    let address = server.addresses()[0];
    tokio::spawn(server.serve());

    let rooms = RoomsClient::new(Client::connect(format!("tcp://{address}")).await?);
    let mut told = vec![format!("{} in the lobby", rooms.join("lobby".into(), Some("Ada".into())).await?)];
    told.push(format!("{} in the lobby", rooms.join("lobby".into(), None).await?));
    match rooms.join("lobby".into(), Some("Bob".into())).await {
        Err(CallError::Typed(error @ JoinError::Full { .. })) => told.push(error.to_string()),
        other => told.push(format!("unexpected: {other:?}")),
    }
    let mut guests = rooms.guests("lobby".into()).await?;
    while let Some(guest) = guests.next().await {
        told.push(guest?);
    }
    rooms.shut("lobby".into()).await?;
    told.extend(rooms.join("lobby".into(), None).await.err().map(|error| error.to_string()));
    Ok(told)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await?.iter().for_each(|line| println!("{line}"));
    Ok(())
}
