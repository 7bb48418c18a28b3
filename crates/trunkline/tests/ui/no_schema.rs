#[derive(serde::Deserialize, serde::Serialize)]
struct Guest {
    name: String,
}

#[trunkline::service]
trait Rooms {
    async fn join(&self, guest: Guest) -> bool;
}

fn main() {}
