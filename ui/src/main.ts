// Starts the window: one session, one page tree. Everything else hangs on `Session`.
import { mount } from 'svelte';

import App from './App.svelte';
import { chooseTransport } from './lib/api/choose';
import { Session } from './lib/app/session.svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/rail.css';
import './styles/log-line.css';
import './styles/histogram.css';
import './styles/fleet.css';
import './styles/rows.css';
import './styles/alerts.css';

const target = document.getElementById('app');
if (!target) throw new Error('index.html must have an element with the id "app"');

const session = new Session(await chooseTransport());
session.start();
mount(App, { target, props: { session } });
