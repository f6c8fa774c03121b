"""Every sentence the API says to people, in both languages: what happened and what to do now.

Keys are the error codes programs see; `{names}` are filled in by `ApiError`.
"""

from __future__ import annotations

from collections.abc import Mapping

from models import lifecycle_words
from models.people import Role
from models.text import Text

WORDS: Mapping[str, Text] = {
    "not_signed_in": Text("请先登录。", "Sign in first."),
    "wrong_credentials": Text(
        "用户名或密码不对。还可以再试 {left} 次。", "User name or password is wrong. Tries left: {left}."
    ),
    "locked": Text(
        "多次输错，已暂停登录。请 {minutes} 分钟后再试，或请管理员重设密码。",
        "Too many wrong tries; sign-in is paused. Try again in {minutes} min, or ask the administrator for a new "
        "password.",
    ),
    "too_many_requests": Text("请求太频繁，请 {seconds} 秒后再试。", "Too many requests; try again in {seconds} s."),
    "not_allowed": Text("您的角色（{role_zh}）不能做这件事。", "Your role ({role_en}) may not do this."),
    "not_found": Text("没有找到，或您无权查看。", "Not found, or not yours to see."),
    "no_such_route": Text("没有这个接口：{path}", "There is no such address: {path}"),
    "method_not_allowed": Text("这个接口不支持 {method}。", "This address does not take {method}."),
    "missing_header": Text(
        "请求缺少 X-Gridwarden: 1 头，已拒绝。", "The request lacks the header X-Gridwarden: 1 and was refused."
    ),
    "foreign_origin": Text(
        "请求来自别的网站（{origin}），已拒绝。", "The request came from another site ({origin}) and was refused."
    ),
    "too_large": Text("内容太大：最多 {limit}。", "Too large: at most {limit}."),
    "invalid": Text("请求内容有误：{field}：{problem}", "The request is wrong at {field}: {problem}"),
    "unreadable": Text("请求内容无法读取。", "The request's body cannot be read."),
    "refused": Text("没有执行：{problem}", "Not done: {problem}"),
    "no_original": Text(
        "没有保存这张图片的原图。",
        "No original was kept of this picture: they are kept from `gridwarden up --keep-originals` on, for a time.",
    ),
    "no_picture_yet": Text("这个摄像头还没有画面。", "This camera has given no picture yet."),
    "not_a_picture": Text(
        "这不是能读的图片。请上传 JPEG、PNG 或 WebP。", "This is not a readable picture. Send a JPEG, PNG or WebP."
    ),
    "picture_too_large": Text(
        "图片尺寸太大（{width}×{height}）。请缩小到 {limit} 百万像素以内。",
        "The picture is too large ({width}×{height}). Make it smaller than {limit} megapixels.",
    ),
    "unknown_picture": Text(
        "照片还没有上传，请先上传再提交。", "The photo has not been uploaded; upload it first, then try again."
    ),
    "bad_period": Text(
        "时间段不对：结束要晚于开始，最长 {days} 天。",
        "The period is wrong: it must end after it starts and be at most {days} days.",
    ),
    "too_many_viewers": Text(
        "同时查看的页面太多，请关掉一些再试。", "Too many live pages are open; close some and try again."
    ),
    "access_revoked": Text(
        "你的消息通道已被停用，请联系指挥中心恢复。", "Your line for new tasks was ended; ask the command centre."
    ),
    "no_mqtt": Text(
        "任务推送没有开启，请用刷新获取任务。", "Task push is not running here; refresh to get your tasks."
    ),
    "front_end_missing": Text(
        "网页还没有构建。请运行 ./scripts/demo，或在 dashboard/web 里运行 npm ci && npm run build。",
        "The front end has not been built. Run ./scripts/demo, or in dashboard/web: npm ci && npm run build.",
    ),
    "internal": Text(
        "系统内部出错，已记入日志（编号 {reference}）。请稍后再试。",
        "Something went wrong inside; it is in the log as {reference}. Try again later.",
    ),
}

ROLE_WORDS: Mapping[Role, Text] = lifecycle_words.ROLES
