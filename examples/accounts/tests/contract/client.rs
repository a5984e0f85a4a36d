//! What a client asks of the accounts example again and again.

use example_kit::testing::{Answer, Body, Client};
use serde_json::json;

pub(super) trait Caller {
    fn sign_up(&mut self, name: &str, password: &str) -> Answer;
    fn log_in(&mut self, name: &str, password: &str) -> Answer;
    fn log_out(&mut self) -> Answer;
    /// The status of "who am I": 200 while the client's credentials are good.
    fn me(&mut self) -> u16;
    fn id(&mut self) -> String;
}

impl Caller for Client {
    fn sign_up(&mut self, name: &str, password: &str) -> Answer {
        self.post("/user/signup", json!({"username": name, "password": password}))
    }

    fn log_in(&mut self, name: &str, password: &str) -> Answer {
        self.post("/user/login", json!({"username": name, "password": password}))
    }

    fn log_out(&mut self) -> Answer {
        self.send("POST", "/user/logout", Body::Empty)
    }

    fn me(&mut self) -> u16 {
        self.get("/user").status
    }

    fn id(&mut self) -> String {
        self.get("/user").body["id"].as_str().unwrap().to_owned()
    }
}
