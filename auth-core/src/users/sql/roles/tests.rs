use chrono::TimeDelta;
use futures_util::FutureExt;
use uuid::Uuid;

use super::*;
#[cfg(feature = "sqlite")]
use crate::sql::testing::sqlite_plan;
use crate::users::{SqlUsers, UserStore, tests::Role};

/// A user with nothing but roles.
#[derive(Debug, Clone, PartialEq)]
struct Member {
    id: Uuid,
    roles: Vec<Scoped<Role>>,
}

impl AuthUser for Member {
    type Id = Uuid;
    type Role = Role;
    const META: &'static UserMeta = &UserMeta {
        name: "Member",
        path: "tests::Member",
        // Words of SQL, so that a name without quotes is found out.
        table: "group",
        columns: &["id"],
        id: "id",
        login: &[],
        password: None,
        login_time: None,
        login_ip: None,
        epoch: None,
        active: None,
        token: None,
        roles: RoleSource::Table { table: "order", field: "roles" },
        schemes: &["session"],
    };

    fn id(&self) -> &Uuid {
        &self.id
    }

    fn login_name(&self, _: usize) -> Option<&str> {
        None
    }
}

crate::__impl_sql_user! {
    Member; id = Uuid;
    fields { id: Uuid = "id" as plain, roles: Vec<Scoped<Role>> = "roles" as role_table }
}

struct World {
    pool: SqlPool,
    roles: SqlRoles<Member>,
    users: SqlUsers<Member>,
    ann: Uuid,
    bob: Uuid,
}

impl World {
    async fn on(pool: SqlPool) -> Self {
        let dialect = Dialect::of(&pool);
        let table = dialect.name("group", "");
        let create = format!("CREATE TABLE {table} (id {} NOT NULL PRIMARY KEY)", dialect.uuid);
        let insert = dialect.sql(&format!("INSERT INTO {table} (id) VALUES (?), (?)"));
        // Of no other test, as copies of a type of user are known in the whole process.
        let (ann, bob) = (Uuid::new_v4(), Uuid::new_v4());
        on_pool!(&pool, pool => {
            sqlx::query(AssertSqlSafe(create)).execute(pool).await.unwrap();
            let insert = sqlx::query(AssertSqlSafe(insert)).bind(ann).bind(bob);
            insert.execute(pool).await.unwrap();
        });
        let roles = SqlRoles::<Member>::new(pool.clone());
        roles.migrate().await.unwrap();
        roles.migrate().await.expect("a second start finds nothing to do");
        Self { users: SqlUsers::new(pool.clone()), pool, roles, ann, bob }
    }

    async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        on_pool!(&self.pool, pool => sqlx::query(sql).execute(pool).await.map(drop))
    }

    /// The roles as the framework and as the application see them.
    async fn held(&self, id: &Uuid) -> Vec<String> {
        let of = self.roles.of(id).await.unwrap();
        let user = self.users.by_id(id).await.unwrap().unwrap();
        assert_eq!(of, user.roles);
        of.iter().map(Scoped::to_string).collect()
    }

    /// Everything that is to hold on every engine.
    async fn obeys(self) {
        self.changes_one_role_at_a_time().await;
        self.replaces_all_at_once().await;
        self.keeps_out_what_is_no_role().await;
        self.ends_copies().await;
        self.forgets_who_is_deleted().await;
    }

    async fn changes_one_role_at_a_time(&self) {
        let Self { roles, ann, bob, .. } = self;
        assert_eq!(self.held(ann).await, [""; 0]);
        let (admin, editor) = (Scoped::from(Role::Admin), Scoped::in_scope("1", Role::Editor));
        for role in [&editor, &admin] {
            assert!(roles.grant(ann, role).await.unwrap());
            assert!(!roles.grant(ann, role).await.unwrap(), "a second time");
        }
        // Any text can be a scope, and is one of its own.
        for scope in ["*", "a:b", "1 ", "é\"'\\", "0"] {
            assert!(roles.grant(ann, &Scoped::in_scope(scope, Role::Editor)).await.unwrap());
            assert!(roles.revoke(ann, &Scoped::in_scope(scope, Role::Editor)).await.unwrap());
            assert!(roles.grant(bob, &Scoped::in_scope(scope, Role::Editor)).await.unwrap());
        }
        assert_eq!(self.held(ann).await, ["admin", "1:editor"]);
        assert_eq!(self.held(bob).await.len(), 5);

        assert!(!roles.revoke(ann, &Scoped::in_scope("1", Role::Admin)).await.unwrap());
        assert!(!roles.revoke(ann, &Scoped::from(Role::Editor)).await.unwrap());
        assert!(roles.revoke(ann, &admin).await.unwrap());
        assert_eq!(self.held(ann).await, ["1:editor"]);

        let nobody = Uuid::from_u128(3);
        assert!(!roles.grant(&nobody, &admin).await.unwrap());
        assert_eq!(roles.of(&nobody).await.unwrap(), []);
    }

    async fn replaces_all_at_once(&self) {
        let Self { roles, ann, bob, .. } = self;
        let new = [
            Scoped::in_scope("2", Role::Editor),
            Scoped::from(Role::Admin),
            Scoped::from(Role::Admin),
        ];
        assert!(roles.replace(ann, &new).await.unwrap());
        assert_eq!(self.held(ann).await, ["admin", "2:editor"]);
        assert_eq!(self.held(bob).await.len(), 5, "and nobody else's");
        assert!(roles.replace(ann, &[]).await.unwrap());
        assert_eq!(self.held(ann).await, [""; 0]);
        assert!(!roles.replace(&Uuid::from_u128(3), &new).await.unwrap());
        assert!(roles.replace(ann, &new).await.unwrap());
    }

    async fn keeps_out_what_is_no_role(&self) {
        let Self { roles, users, ann, .. } = self;
        let empty = Scoped::in_scope("", Role::Admin);
        for error in [
            roles.grant(ann, &empty).await.unwrap_err(),
            roles.revoke(ann, &empty).await.unwrap_err(),
            roles.replace(ann, std::slice::from_ref(&empty)).await.unwrap_err(),
        ] {
            assert!(error.to_string().contains("leave the scope out"), "{error}");
        }
        assert_eq!(self.held(ann).await, ["admin", "2:editor"]);

        let table = Dialect::of(&self.pool).name("order", "");
        self.run(&format!("UPDATE {table} SET role = 'sudoer' WHERE role = 'admin'"))
            .await
            .unwrap();
        for error in
            [roles.of(ann).await.unwrap_err(), users.by_id(ann).await.map(drop).unwrap_err()]
        {
            assert!(matches!(error, Error::Store { store: "user", .. }));
            assert!(error.to_string().contains("`sudoer`"), "{error}");
        }
        assert!(roles.replace(ann, &[Scoped::from(Role::Admin)]).await.unwrap());
    }

    /// Copies of the user end with every change, whatever becomes of it; others' stay.
    async fn ends_copies(&self) {
        let Self { roles, ann, bob, .. } = self;
        let cached = self.users.clone().cached(TimeDelta::minutes(5));
        let role = Scoped::in_scope("3", Role::Editor);
        for change in ["grant", "revoke", "replace", "one that nobody waits for"] {
            for id in [ann, bob] {
                // Other tests change roles too, and what is loaded meanwhile is not kept.
                while cached.by_id_now(id).is_none() {
                    cached.by_id(id).await.unwrap();
                }
            }
            match change {
                "grant" => assert!(roles.grant(ann, &role).await.unwrap()),
                "revoke" => assert!(roles.revoke(ann, &role).await.unwrap()),
                "replace" => {
                    assert!(roles.replace(ann, &[Scoped::from(Role::Admin)]).await.unwrap());
                }
                _ => drop(roles.grant(ann, &role).now_or_never()),
            }
            assert!(cached.by_id_now(ann).is_none(), "{change}");
            assert!(cached.by_id_now(bob).is_some(), "{change}");
        }
    }

    async fn forgets_who_is_deleted(&self) {
        let Self { roles, ann, bob, pool, .. } = self;
        let users = Dialect::of(pool).name("group", "");
        let delete = Dialect::of(pool).sql(&format!("DELETE FROM {users} WHERE id = ?"));
        let insert = Dialect::of(pool).sql(&format!("INSERT INTO {users} (id) VALUES (?)"));
        for sql in [delete, insert] {
            let sql = AssertSqlSafe(sql);
            on_pool!(pool, pool => sqlx::query(sql).bind(ann).execute(pool).await.map(drop))
                .unwrap();
        }
        assert_eq!(self.held(ann).await, [""; 0]);
        assert_eq!(roles.of(bob).await.unwrap().len(), 5);
    }
}

#[cfg(feature = "sqlite")]
async fn sqlite() -> SqlPool {
    crate::sql::open_sqlite("sqlite::memory:").await.unwrap().into()
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_keeps_roles() {
    World::on(sqlite().await).await.obeys().await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_keeps_roles() {
    let Some(database) = auth_test_servers::postgres() else { return };
    World::on(SqlPool::connect(database.url()).await.unwrap()).await.obeys().await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn mysql_keeps_roles() {
    let Some(database) = auth_test_servers::mysql() else { return };
    World::on(SqlPool::connect(database.url()).await.unwrap()).await.obeys().await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_roles_come_with_the_user_by_the_index() {
    let world = World::on(sqlite().await).await;
    let SqlPool::Sqlite(pool) = &world.pool else { unreachable!() };
    let dialect = Dialect::of(&world.pool);
    let with_user = super::super::statements::Statements::new(dialect, Member::META).by_id;
    let alone = Statements::new(dialect, Member::META, "order").of;
    for sql in [with_user, alone] {
        let plan = sqlite_plan(pool, sql.as_str()).await;
        assert!(plan.iter().any(|step| step.contains("user_id=?")), "{plan:?}");
        assert!(!plan.iter().any(|step| step.starts_with("SCAN order")), "{plan:?}");
    }
}
