#[derive(serde::Deserialize, serde::Serialize)]
struct Guest {
    name: String,
}

#[trunkline::service]
trait Rooms {
    async fn join(&self, guest: Guest) -> bool;
}

fn main() {}

//~ 8:33 `Guest` cannot travel between a service and its clients
//~ 8:33 what travels derives `serde::Serialize`, `serde::Deserialize` and `schemars::JsonSchema`,
