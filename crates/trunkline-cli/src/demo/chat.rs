//! A chat room: who has joined hears what the others say.

use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use trunkline::{ConnectionId, Fault, FaultKind, Peer, Router, State, handler};

/// How long names and messages may be, in characters.
const LONGEST_NAME: usize = 32;
const LONGEST_TEXT: usize = 2_000;

/// Who is there.
#[derive(Default)]
pub(super) struct Room(Mutex<Members>);

type Members = HashMap<ConnectionId, Member>;

struct Member {
    name: String,
    peer: Peer,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Join {
    name: String,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Say {
    text: String,
}

/// Why somebody is not heard.
#[derive(Debug, thiserror::Error)]
enum ChatError {
    #[error("a name has 1 to {LONGEST_NAME} characters, and no control characters")]
    UnfitName,
    #[error("{0} is in the room already; choose another name")]
    NameTaken(String),
    #[error("you are in the room already, as {0}; call chat.leave first")]
    JoinedAlready(String),
    #[error("you are not in the room; call chat.join with a name first")]
    NotJoined,
    #[error("a message has 1 to {LONGEST_TEXT} characters")]
    UnfitText,
}

impl From<ChatError> for Fault {
    fn from(error: ChatError) -> Self {
        let code = match error {
            ChatError::UnfitName => 2001,
            ChatError::NameTaken(_) => 2002,
            ChatError::JoinedAlready(_) => 2003,
            ChatError::NotJoined => 2004,
            ChatError::UnfitText => 2005,
        };
        Self::new(FaultKind::Failed, error.to_string()).with_code(code)
    }
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody go, whether they said so or hung up.
    pub(super) fn leave(&self, peer: &Peer) -> bool {
        let mut members = self.lock();
        let Some(gone) = members.remove(&peer.connection().id()) else { return false };
        tell(&members, peer, "chat.left", json!({"name": gone.name}));
        true
    }
}

/// Tells everybody but `from`, and gives the number of those who were told. The
/// members are locked meanwhile, so that all hear everything in the same order.
fn tell(members: &Members, from: &Peer, event: &str, args: impl Serialize) -> usize {
    let others = members.values().filter(|member| member.peer != *from);
    others.filter(|member| member.peer.notify(event, &args).is_ok()).count()
}

fn names(members: &Members) -> Vec<String> {
    let mut names: Vec<String> = members.values().map(|member| member.name.clone()).collect();
    names.sort_unstable();
    names
}

/// Lets the caller in, and says who is there.
async fn join(room: State<Room>, peer: Peer, Join { name }: Join) -> Result<Vec<String>, ChatError> {
    let name = name.trim().to_owned();
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(ChatError::UnfitName);
    }
    let mut members = room.lock();
    if let Some(already) = members.get(&peer.connection().id()) {
        return Err(ChatError::JoinedAlready(already.name.clone()));
    }
    if members.values().any(|member| member.name == name) {
        return Err(ChatError::NameTaken(name));
    }
    tell(&members, &peer, "chat.joined", json!({"name": name}));
    members.insert(peer.connection().id(), Member { name, peer });
    Ok(names(&members))
}

/// Tells the others, and says how many were told.
async fn say(room: State<Room>, peer: Peer, Say { text }: Say) -> Result<usize, ChatError> {
    if !(1..=LONGEST_TEXT).contains(&text.chars().count()) {
        return Err(ChatError::UnfitText);
    }
    let members = room.lock();
    let speaker = members.get(&peer.connection().id()).ok_or(ChatError::NotJoined)?;
    Ok(tell(&members, &peer, "chat.message", json!({"from": speaker.name, "text": text})))
}

/// Whether the caller was there.
async fn leave(room: State<Room>, peer: Peer) -> bool {
    room.leave(&peer)
}

async fn members(room: State<Room>) -> Vec<String> {
    names(&room.lock())
}

/// The procedures.
pub(super) fn router(room: Arc<Room>) -> Router {
    Router::new()
        .shared_state(room)
        .procedure(
            "join",
            handler(join)
                .description("Lets the caller in under a name, and says who is there.")
                .fault(ChatError::UnfitName)
                .fault(ChatError::NameTaken("Ada".to_owned()))
                .fault(ChatError::JoinedAlready("Ada".to_owned())),
        )
        .procedure(
            "say",
            handler(say)
                .description("Tells the others, and says how many were told.")
                .fault(ChatError::NotJoined)
                .fault(ChatError::UnfitText),
        )
        .procedure("leave", handler(leave).description("Lets the caller go; whether it was there."))
        .procedure("members", handler(members).description("The names of those who are there."))
}
