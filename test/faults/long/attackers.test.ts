import { siegeFor } from '../support/siege/siege.js';

siegeFor(60);
