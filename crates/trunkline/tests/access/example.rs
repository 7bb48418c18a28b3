//! The example `auth`, started and visited.

#[path = "../../examples/auth.rs"]
mod auth;

#[tokio::test]
async fn it_shows_what_it_is_to_show() {
    let server = auth::server("127.0.0.1:0").bind().await.unwrap();
    let address = server.addresses()[0];
    tokio::spawn(server.serve());
    let mut said = vec![];
    auth::visit(address, |line| said.push(line)).await.unwrap();
    assert_eq!(
        said,
        [
            "I am nobody",
            "refused: authenticate first",
            "authenticated as Some(\"charles\")",
            "I am charles",
            "refused: you are in none of the groups that may do this",
            "authenticated as Some(\"ada\")",
            "I am ada",
            "ada has closed the lobby",
            "of 5 guesses, 2 were too many",
            "ada has closed the attic",
        ]
    );
}
