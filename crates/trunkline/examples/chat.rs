//! Rooms in which all hear what one says: the server calls its clients.
//!
//! ```text
//! cargo run -p trunkline --example chat
//! ```

use std::{collections::BTreeMap, error::Error, sync::Mutex};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use trunkline::{Client, Fault, Peer, Router, Server, Session, State};

/// Who is in which room, by name.
type Rooms = Mutex<BTreeMap<String, BTreeMap<String, Peer>>>;

/// What is remembered of a connection that is in a room.
struct Guest {
    room: String,
    name: String,
}

/// Tells all in a room, and how many were told; who has gone is there no more. It is
/// locked meanwhile, so that all hear everything in the same order.
fn tell(room: &mut BTreeMap<String, Peer>, text: &str) -> usize {
    room.retain(|_, peer| peer.notify("hear", (text,)).is_ok());
    room.len()
}

async fn join(
    rooms: State<Rooms>,
    session: Session,
    peer: Peer,
    (room, name): (String, String),
) -> Result<Vec<String>, Fault> {
    let mut rooms = rooms.lock().expect("nothing panics in here");
    let guests = rooms.entry(room.clone()).or_default();
    if session.get::<Guest>().is_some() || guests.contains_key(&name) {
        return Err("the name is taken, or you are in a room already".into());
    }
    tell(guests, &format!("{name} has come"));
    guests.insert(name.clone(), peer);
    session.insert(Guest { room, name });
    Ok(guests.keys().cloned().collect())
}

async fn say(rooms: State<Rooms>, session: Session, (text,): (String,)) -> Result<usize, Fault> {
    let guest = session.get::<Guest>().ok_or("you are in no room")?;
    let mut rooms = rooms.lock().expect("nothing panics in here");
    Ok(rooms.get_mut(&guest.room).map_or(0, |room| tell(room, &format!("{}: {text}", guest.name))))
}

/// Asks a guest how it is.
async fn mood(rooms: State<Rooms>, (room, name): (String, String)) -> Result<String, Fault> {
    let guest =
        rooms.lock().expect("nothing panics in here").get(&room).and_then(|room| room.get(&name).cloned());
    guest.ok_or("there is no such guest")?.call("mood", ()).await
}

async fn leave(rooms: State<Rooms>, session: Session) {
    let Some(guest) = session.remove::<Guest>() else { return };
    let mut rooms = rooms.lock().expect("nothing panics in here");
    if let Some(room) = rooms.get_mut(&guest.room) {
        room.remove(&guest.name);
        tell(room, &format!("{} has left", guest.name));
    }
}

/// A client that keeps what it hears, and can be asked for its mood.
async fn guest(address: &str) -> Result<(Client, UnboundedReceiver<String>), Box<dyn Error>> {
    let (hear, heard) = unbounded_channel();
    let own = Router::new().procedure("mood", async || "fine").procedure("hear", move |(text,): (String,)| {
        let kept = hear.send(text);
        async move { kept.map_err(|_| Fault::from("nobody listens")) }
    });
    Ok((Client::builder(address).router(own).connect().await?, heard))
}

/// What is served.
pub(crate) fn router() -> Router {
    let router = Router::new().state(Rooms::default()).procedure("join", join).procedure("say", say);
    router.procedure("mood", mood).procedure("leave", leave)
}

/// Serves, lets three guests chat, and tells what they hear.
pub(crate) async fn run(mut tell: impl FnMut(String)) -> Result<(), Box<dyn Error>> {
    let server = Server::new(router()).tcp("127.0.0.1:0").bind().await?;
    let (address, peers) = (format!("tcp://{}", server.addresses()[0]), server.peers());
    tokio::spawn(server.serve());

    let (ada, mut hers) = guest(&address).await?;
    let (bob, mut his) = guest(&address).await?;
    let (eve, mut other) = guest(&address).await?;
    for (client, room, name) in [(&ada, "lobby", "Ada"), (&bob, "lobby", "Bob"), (&eve, "attic", "Eve")] {
        let with: Vec<String> = client.call("join", (room, name)).await?;
        tell(format!("{name} is in the {room} with {with:?}"));
    }
    tell(format!("{} in the lobby were told", bob.call::<usize>("say", ("hello",)).await?));
    tell(format!("Ada, asked for her mood: {}", bob.call::<String>("mood", ("lobby", "Ada")).await?));
    bob.call::<()>("leave", ()).await?;
    tell(format!("{} hear the server", peers.broadcast("hear", ("good night",))?));
    for (name, heard, count) in [("Ada", &mut hers, 4), ("Bob", &mut his, 2), ("Eve", &mut other, 1)] {
        for _ in 0..count {
            tell(format!("{name} heard: {}", heard.recv().await.ok_or("the connection is gone")?));
        }
    }
    Ok(())
}

#[tokio::main]
#[allow(dead_code, reason = "a test runs it too")]
async fn main() -> Result<(), Box<dyn Error>> {
    run(|line| println!("{line}")).await
}
