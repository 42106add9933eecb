import { siegeFor } from '../support/siege/siege.js';

siegeFor(10);
