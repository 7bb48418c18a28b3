#[trunkline::service]
trait Rooms {
    async fn new(&self, name: String) -> u64;
}

fn main() {}

//~ 3:14 `new` makes the client: call the method something else, and say `#[procedure(name = "new")]` if that is what callers know
