"use strict";
const byId = (id) => document.getElementById(id);
const state = { user: null, matters: [], matter: null, nextBefore: null, socket: null, tries: 0 };

async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const response = await fetch(path, options);
  const answer = response.status === 204 ? {} : await response.json();
  if (response.ok) return answer;
  if (response.status === 401 && state.user) showLogin();
  throw new Error(answer.message || `error ${response.status}`);
}

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function told(form, work) {
  return async (event) => {
    event.preventDefault();
    const problem = form.querySelector(".problem") || document.querySelector("#matter .problem");
    problem.textContent = "";
    try { await work(new FormData(form)); form.reset(); }
    catch (error) { problem.textContent = error.message; }
  };
}

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) { bytes /= 1024; unit += 1; }
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
}

function showLogin() {
  state.user = state.matter = null;
  if (state.socket) state.socket.close();
  byId("login-view").hidden = false;
  byId("matters-view").hidden = byId("account").hidden = true;
}

async function showMatters(user) {
  state.user = user;
  byId("who").textContent = `${user.full_name}, ${user.role}`;
  byId("login-view").hidden = true;
  byId("matters-view").hidden = byId("account").hidden = false;
  byId("new-matter").hidden = byId("admit").hidden = user.role !== "lawyer";
  connect();
  await loadMatters();
}

async function loadMatters() {
  state.matters = (await call("GET", "/api/matters")).matters;
  drawMatters();
  const current = state.matters.find((matter) => state.matter && matter.id === state.matter.id);
  const next = current || state.matters[0];
  if (next) await choose(next);
}

function drawMatters() {
  byId("matters").replaceChildren(...state.matters.map((matter) => {
    const count = element("span", String(matter.files));
    const button = element("button", "", element("span", matter.title), count);
    button.setAttribute("aria-current", String(Boolean(state.matter) && state.matter.id === matter.id));
    button.onclick = () => choose(matter);
    return element("li", "", button);
  }));
}

async function choose(matter) {
  state.matter = matter;
  document.querySelector("#matter .problem").textContent = "";
  drawMatters();
  byId("matter").hidden = false;
  byId("matter-title").textContent = matter.title;
  byId("members").textContent = (matter.members || []).join(", ");
  byId("files").replaceChildren();
  await loadFiles("");
}

async function loadFiles(query) {
  const matter = state.matter;
  const page = await call("GET", `/api/matters/${matter.id}/files${query}`);
  if (state.matter !== matter) return;
  for (const file of page.files) putFile(file, false);
  state.nextBefore = page.next_before;
  byId("more").hidden = page.next_before === null;
}

function putFile(file, isNew) {
  if (document.querySelector(`tr[data-id="${file.id}"]`)) return false;
  const link = element("a", file.name);
  link.href = `/api/files/${file.id}`;
  link.download = file.name;
  const when = new Date(file.uploaded_at).toLocaleString();
  const row = element("tr", "", element("td", "", link), element("td", size(file.size_bytes)),
    element("td", file.uploaded_by), element("td", when));
  row.dataset.id = file.id;
  if (isNew) { row.className = "new"; byId("files").prepend(row); } else byId("files").append(row);
  return true;
}

function upload(file) {
  const bar = element("progress");
  bar.max = 1;
  bar.value = 0;
  const line = element("li", file.name, bar);
  byId("uploads").append(line);
  const request = new XMLHttpRequest();
  request.open("POST", `/api/matters/${state.matter.id}/files?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
  request.upload.onprogress = (event) => { bar.value = event.loaded / event.total; };
  request.onloadend = () => {
    if (request.status === 201) { line.remove(); arrived(JSON.parse(request.responseText).file); return; }
    let message = "the connection broke";
    try { message = JSON.parse(request.responseText).message; } catch { /* no JSON came */ }
    line.replaceChildren(element("span", `${file.name}: ${message} `));
    const again = element("button", "Try again");
    again.onclick = () => { line.remove(); upload(file); };
    line.append(again);
  };
  request.send(file);
}

function arrived(file) {
  const matter = state.matters.find((each) => each.id === file.matter_id);
  if (!matter) { loadMatters().catch(() => {}); return; }
  if (file.number <= (matter.last || 0)) return;
  matter.last = file.number;
  matter.files += 1;
  drawMatters();
  if (state.matter === matter) putFile(file, true);
}

function connect() {
  if (state.socket) return;
  const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/live`);
  state.socket = socket;
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.type === "file") arrived(message.file);
    if (message.type === "resync") loadMatters().catch(() => {});
    if (message.type === "hello") {
      if (state.tries > 0) loadMatters().catch(() => {});
      state.tries = 0;
      byId("served").textContent = `live from ${message.replica} (${message.version})`;
      setLive("on", "live");
    }
  };
  socket.onclose = (event) => {
    state.socket = null;
    setLive("off", "offline");
    if (!state.user) return;
    if (event.code === 4401) { showLogin(); return; }
    state.tries += 1;
    // 1001 is a replica's goodbye: another one is there already.
    const pause = event.code === 1001 ? 50 : Math.min(500 * 2 ** state.tries, 10000);
    setTimeout(() => { if (state.user) connect(); }, pause + Math.random() * 250);
  };
}

function setLive(value, text) {
  byId("live").hidden = !state.user;
  byId("live").dataset.state = value;
  byId("live").textContent = text;
}

byId("login").onsubmit = told(byId("login"), async (form) => {
  const answer = await call("POST", "/api/login", { name: form.get("name"), password: form.get("password") });
  await showMatters(answer.user);
});
byId("logout").onclick = async () => { await call("POST", "/api/logout").catch(() => {}); showLogin(); };
byId("new-matter").onsubmit = told(byId("new-matter"), async (form) => {
  const answer = await call("POST", "/api/matters", { title: form.get("title") });
  state.matter = answer.matter;
  await loadMatters();
});
byId("admit").onsubmit = told(byId("admit"), async (form) => {
  await call("POST", `/api/matters/${state.matter.id}/members`, { name: form.get("name") });
  await loadMatters();
});
byId("more").onclick = () => loadFiles(`?before=${state.nextBefore}`);
byId("chooser").onchange = (event) => {
  for (const file of event.target.files) upload(file);
  event.target.value = "";
};
const drop = byId("drop");
drop.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
drop.ondragleave = () => drop.classList.remove("over");
drop.ondrop = (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  for (const file of event.dataTransfer.files) upload(file);
};
call("GET", "/api/me").then((answer) => showMatters(answer.user)).catch(showLogin);
