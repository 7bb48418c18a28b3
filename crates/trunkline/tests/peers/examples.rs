//! The examples `peers` and `chat`, run to their ends.

#[path = "../../examples/chat.rs"]
mod chat;
#[path = "../../examples/peers.rs"]
mod peers;

#[tokio::test]
async fn peers_shows_what_it_is_to_show() {
    let mut said = vec![];
    peers::run(|line| said.push(line)).await.unwrap();
    assert_eq!(
        said,
        [
            "bob asks alice: HELLO, bob",
            "3 …",
            "2 …",
            "1 …",
            "refused: alice does not whisper to bob",
            "refused: no peer is registered as `carol`",
            "refused: another peer is registered as `alice`",
            "refused: no peer is registered as `alice`",
        ]
    );
}

#[tokio::test]
async fn chat_shows_what_it_is_to_show() {
    let mut said = vec![];
    chat::run(|line| said.push(line)).await.unwrap();
    assert_eq!(
        said,
        [
            "Ada is in the lobby with [\"Ada\"]",
            "Bob is in the lobby with [\"Ada\", \"Bob\"]",
            "Eve is in the attic with [\"Eve\"]",
            "2 in the lobby were told",
            "Ada, asked for her mood: fine",
            "3 hear the server",
            "Ada heard: Bob has come",
            "Ada heard: Bob: hello",
            "Ada heard: Bob has left",
            "Ada heard: good night",
            "Bob heard: Bob: hello",
            "Bob heard: good night",
            "Eve heard: good night",
        ]
    );
}
