//! Articles.

use auth_poem::prelude::*;
use poem::Request;
use poem_openapi::{
    Object,
    param::{Path, Query},
    payload::Json,
};

use super::{Created, Deleted, Tag};
use crate::{
    draft::{Check, Draft, Optional, Required, Valid},
    errors::{forbidden, not_found},
    model::{Article, ArticleSummary},
    store::{ArticleChanges, Filter, NewArticle, Page, Store},
    user::User,
};

/// The longest texts, in characters.
const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 1000;
const LONGEST_BODY: usize = 100_000;
const LONGEST_TAG: usize = 50;

/// How many tags an article may have.
const MOST_TAGS: usize = 20;

/// How many articles one answer has at most, whatever the limit says.
const MOST: i64 = 100;

/// The operations.
#[derive(Debug)]
pub struct ArticlesApi {
    pub(super) store: Store,
}

#[derive(Object)]
pub(super) struct ArticleBody {
    article: Article,
}

#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct ArticlesBody {
    articles: Vec<ArticleSummary>,
    /// How many there are on all pages.
    articles_count: i64,
}

#[derive(Object)]
pub(crate) struct NewArticleBody {
    article: NewArticleFields,
}

#[derive(Object)]
#[oai(rename = "NewArticle", rename_all = "camelCase")]
struct NewArticleFields {
    title: Required<String>,
    description: Required<String>,
    body: Required<String>,
    tag_list: Optional<Vec<String>>,
}

#[derive(Object)]
pub(crate) struct UpdateArticleBody {
    article: UpdateArticle,
}

#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct UpdateArticle {
    title: Optional<String>,
    description: Optional<String>,
    body: Optional<String>,
    tag_list: Optional<Vec<String>>,
}

impl Draft for NewArticle {
    type Body = NewArticleBody;

    fn check(body: NewArticleBody, check: &mut Check) -> Option<Self> {
        let NewArticleFields { title, description, body, tag_list } = body.article;
        let title = check.text("title", title, LONGEST_TITLE);
        let description = check.text("description", description, LONGEST_DESCRIPTION);
        let body = check.text("body", body, LONGEST_BODY);
        let tags = tags(check, tag_list).unwrap_or_default();
        Some(Self { title: title?, description: description?, body: body?, tags })
    }
}

impl Draft for ArticleChanges {
    type Body = UpdateArticleBody;

    fn check(body: UpdateArticleBody, check: &mut Check) -> Option<Self> {
        let UpdateArticle { title, description, body, tag_list } = body.article;
        Some(Self {
            title: check.text("title", title, LONGEST_TITLE),
            description: check.text("description", description, LONGEST_DESCRIPTION),
            body: check.text("body", body, LONGEST_BODY),
            tags: tags(check, tag_list),
        })
    }
}

/// Tags in the author's order, each once.
fn tags(check: &mut Check, field: Optional<Vec<String>>) -> Option<Vec<String>> {
    const NAME: &str = "tagList";
    let mut tags = Vec::new();
    for tag in check.given(NAME, field)? {
        let tag = check.words(NAME, tag.trim().to_owned(), LONGEST_TAG)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if tags.len() > MOST_TAGS {
            check.refuse(NAME, format!("has too many tags (maximum is {MOST_TAGS})"));
            return None;
        }
    }
    Some(tags)
}

#[auth_api(prefix_path = "/articles", tag = "Tag::Articles")]
impl ArticlesApi {
    /// Articles of all authors, newest first.
    #[oai(path = "/", method = "get", operation_id = "GetArticles")]
    async fn list(
        &self,
        user: Option<User>,
        /// Only those with this tag.
        tag: Query<Option<String>>,
        /// Only those by the user of this name.
        author: Query<Option<String>>,
        /// Only the favorites of the user of this name.
        favorited: Query<Option<String>>,
        #[oai(default = "limit", validator(minimum(value = "1")))] limit: Query<i64>,
        #[oai(default, validator(minimum(value = "0")))] offset: Query<i64>,
    ) -> auth_poem::Result<Json<ArticlesBody>> {
        let filter = Filter {
            tag: tag.as_deref(),
            author: author.as_deref(),
            favorited: favorited.as_deref(),
            followed_by: None,
        };
        self.page(user.as_ref(), &filter, limit.0, offset.0).await
    }

    /// Articles of the authors whom the user follows, newest first.
    #[oai(path = "/feed", method = "get", operation_id = "GetArticlesFeed")]
    async fn feed(
        &self,
        user: User,
        #[oai(default = "limit", validator(minimum(value = "1")))] limit: Query<i64>,
        #[oai(default, validator(minimum(value = "0")))] offset: Query<i64>,
    ) -> auth_poem::Result<Json<ArticlesBody>> {
        let filter = Filter { followed_by: Some(&user.account), ..Filter::default() };
        self.page(Some(&user), &filter, limit.0, offset.0).await
    }

    /// An article.
    #[rejects(article = 404)]
    #[oai(path = "/:slug", method = "get", operation_id = "GetArticle")]
    async fn article(
        &self,
        user: Option<User>,
        slug: Path<String>,
    ) -> auth_poem::Result<Json<ArticleBody>> {
        show(&self.store, user.as_ref(), &slug).await.map(Json)
    }

    /// Publishes an article. Two may have the same title.
    #[oai(path = "/", method = "post", operation_id = "CreateArticle")]
    async fn create(
        &self,
        user: User,
        draft: Valid<NewArticle>,
    ) -> auth_poem::Result<Created<ArticleBody>> {
        let slug = self.store.create_article(&user.account, &draft.0).await?;
        show(&self.store, Some(&user), &slug).await.map(|article| Created::Made(Json(article)))
    }

    /// Changes one's own article. A new title makes a new slug.
    #[require(check = Self::is_author)]
    #[rejects(article = 404)]
    #[oai(path = "/:slug", method = "put", operation_id = "UpdateArticle")]
    async fn update(
        &self,
        user: User,
        slug: Path<String>,
        draft: Valid<ArticleChanges>,
    ) -> auth_poem::Result<Json<ArticleBody>> {
        // The statement names the author too: the article may be gone since the check, and another
        // one in its place.
        let slug = self.store.change_article(&user.account, &slug, &draft.0).await?;
        let slug = slug.ok_or_else(|| not_found("article"))?;
        show(&self.store, Some(&user), &slug).await.map(Json)
    }

    /// Deletes one's own article, with its comments.
    #[require(check = Self::is_author)]
    #[rejects(article = 404)]
    #[oai(path = "/:slug", method = "delete", operation_id = "DeleteArticle")]
    async fn delete(&self, user: User, slug: Path<String>) -> auth_poem::Result<Deleted> {
        match self.store.delete_article(&user.account, &slug).await? {
            true => Ok(Deleted::Done),
            false => Err(not_found("article").into()),
        }
    }
}

impl ArticlesApi {
    /// Whether the article that the path names is the user's.
    async fn is_author(&self, user: &User, request: &Request) -> auth_poem::Result<bool> {
        let author = self.store.author_of_article(request.path_param("slug")?).await?;
        if author.ok_or_else(|| not_found("article"))? == user.account {
            return Ok(true);
        }
        Err(forbidden("article").into())
    }

    async fn page(
        &self,
        viewer: Option<&User>,
        filter: &Filter<'_>,
        limit: i64,
        offset: i64,
    ) -> auth_poem::Result<Json<ArticlesBody>> {
        let viewer = viewer.map(|user| user.account.as_str());
        let page = Page { limit: limit.min(MOST), offset };
        let (articles, articles_count) = self.store.articles(viewer, filter, &page).await?;
        Ok(Json(ArticlesBody { articles, articles_count }))
    }
}

/// An article as the viewer sees it.
pub(super) async fn show(
    store: &Store,
    viewer: Option<&User>,
    slug: &str,
) -> auth_poem::Result<ArticleBody> {
    let article = store.article(viewer.map(|user| user.account.as_str()), slug).await?;
    let article = article.ok_or_else(|| not_found("article"))?;
    Ok(ArticleBody { article })
}

/// How many articles an answer has where the client does not say.
fn limit() -> i64 {
    20
}
