#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Guest {
    name: String,
}

#[trunkline::service]
trait Rooms {
    async fn host(&self) -> Guest;
}

fn main() {}
