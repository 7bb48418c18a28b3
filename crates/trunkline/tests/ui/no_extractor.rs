#[trunkline::service]
trait Rooms {
    async fn join(&self, #[extract] room: String) -> bool;
}

fn main() {}

//~ 3:43 `String` is not something that a call has
//~ 3:43 an argument that callers give is not marked
