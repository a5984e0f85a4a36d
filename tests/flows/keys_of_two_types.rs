//! API keys and signatures where an application has two types of user whose ids are the same.

use auth_poem::{
    access_keys::{MemoryAccessKeys, MemoryNonces, Signatures},
    prelude::*,
    sealing::SealingKeys,
    signature::{Message, Signer},
};
use auth_tests::{Browser, World, browser::Ask};
use poem::http::{HeaderMap, HeaderValue, Method, header::HOST};
use poem_openapi::payload::PlainText;

#[derive(AuthUser, Clone, Debug)]
#[auth(table = "people", schemes(session, api_key, signature))]
struct Person {
    #[auth(id)]
    id: i64,
}

#[derive(AuthUser, Clone, Debug)]
#[auth(table = "robots", schemes(session, api_key, signature))]
struct Robot {
    #[auth(id)]
    id: i64,
}

struct Api;

/// New keys of the request's user: an API key, an access key, the secret of the latter.
async fn keys<U: auth_core::user::AuthUser>(
    auth: &Auth<U>,
) -> auth_poem::Result<PlainText<String>> {
    let key = auth.create_api_key("test").await?;
    let access = auth.create_access_key("test").await?;
    let secret = access.secret.unwrap();
    Ok(PlainText(format!("{} {} {}", key.key.expose(), access.info.id, secret.as_str())))
}

#[auth_api]
impl Api {
    #[public]
    #[oai(path = "/person/enter", method = "post")]
    async fn enter_person(&self, auth: Auth<Person>) -> auth_poem::Result<()> {
        auth.login_user(&Person { id: 7 }).await?;
        Ok(())
    }

    #[public]
    #[oai(path = "/robot/enter", method = "post")]
    async fn enter_robot(&self, auth: Auth<Robot>) -> auth_poem::Result<()> {
        auth.login_user(&Robot { id: 7 }).await?;
        Ok(())
    }

    #[oai(path = "/person/keys", method = "post")]
    async fn person_keys(
        &self,
        _person: Person,
        auth: Auth<Person>,
    ) -> auth_poem::Result<PlainText<String>> {
        keys(&auth).await
    }

    #[oai(path = "/robot/keys", method = "post")]
    async fn robot_keys(
        &self,
        _robot: Robot,
        auth: Auth<Robot>,
    ) -> auth_poem::Result<PlainText<String>> {
        keys(&auth).await
    }

    #[oai(path = "/person", method = "get")]
    async fn person(&self, person: Person) -> PlainText<String> {
        PlainText(format!("person {}", person.id))
    }

    #[oai(path = "/robot", method = "get")]
    async fn robot(&self, robot: Robot) -> PlainText<String> {
        PlainText(format!("robot {}", robot.id))
    }

    #[oai(path = "/either", method = "get")]
    async fn either(&self, person: Option<Person>, robot: Option<Robot>) -> PlainText<String> {
        PlainText(format!("{} {}", person.is_some(), robot.is_some()))
    }
}

/// An application in which person 7 and robot 7 are.
fn world() -> Browser {
    let (people, robots) = (MemoryUsers::default(), MemoryUsers::default());
    people.insert(Person { id: 7 }).unwrap();
    robots.insert(Robot { id: 7 }).unwrap();
    let sealing = SealingKeys::generate().unwrap();
    let auth = AuthConfig::new()
        .user::<Person>(people)
        .user::<Robot>(robots)
        .sessions(MemorySessions::new())
        .api_keys(MemoryApiKeys::new())
        .signatures(Signatures::new(MemoryAccessKeys::new(), MemoryNonces::new(), sealing))
        .build()
        .unwrap();
    World::serve(auth.openapi(Api, "Two types", "1.0"))
}

/// The API key and a signer of the user of one type.
async fn keys_of(client: &Browser, kind: &str) -> (String, Signer) {
    let browser = client.another();
    let _ = browser.post(format!("/{kind}/enter")).await.is(200);
    let made = browser.post(format!("/{kind}/keys")).await.is(200).body;
    let [key, id, secret] = <[&str; 3]>::try_from(made.split(' ').collect::<Vec<_>>()).unwrap();
    (key.to_owned(), Signer::hmac_sha256(id, secret.as_bytes()))
}

fn signed(client: &Browser, signer: &Signer, path: &str) -> Ask {
    let host = HeaderMap::from_iter([(HOST, HeaderValue::from_static("two.example"))]);
    let uri = path.parse().unwrap();
    let message = Message { method: &Method::GET, uri: &uri, headers: &host };
    let headers = signer.headers_for(&message, b"", Utc::now()).unwrap();
    ["signature-input", "signature"].into_iter().fold(
        client.get(path).header("host", "two.example"),
        |ask, name| {
            let (_, value) = headers.iter().find(|(known, _)| known == name).unwrap();
            ask.header(name, value.to_str().unwrap())
        },
    )
}

#[tokio::test]
async fn a_key_of_one_type_says_nothing_about_the_other() {
    let client = world();
    for (kind, other, either) in
        [("person", "robot", "true false"), ("robot", "person", "false true")]
    {
        let (key, signer) = keys_of(&client, kind).await;
        let with_key = |path: &str| client.get(path).header("x-api-key", key.clone());
        let (own, foreign) = (format!("/{kind}"), format!("/{other}"));
        assert_eq!(with_key(own.as_str()).await.is(200).body, format!("{kind} 7"));
        assert_eq!(with_key(&foreign).await.outcome(), (401, "missing_credentials".into()));
        assert_eq!(with_key("/either").await.is(200).body, either);

        assert_eq!(signed(&client, &signer, &own).await.is(200).body, format!("{kind} 7"));
        let answer = signed(&client, &signer, &foreign).await;
        assert_eq!(answer.outcome(), (401, "missing_credentials".into()));
        // Two types of user ask about one signature, which is verified once and noted once.
        assert_eq!(signed(&client, &signer, "/either").await.is(200).body, either);
    }
}
